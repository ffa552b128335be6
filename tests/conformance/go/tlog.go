package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type checkpoint struct {
	origin string
	size   uint64
	root   []byte
}

func openNote(text []byte, vkey string) (*note.Note, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	return note.Open(text, note.VerifierList(verifier))
}

func openCheckpoint(text []byte, vkey string) (*checkpoint, error) {
	opened, err := openNote(text, vkey)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 {
		return nil, fmt.Errorf("a checkpoint has three lines")
	}
	size, err := strconv.ParseUint(lines[1], 10, 63)
	if err != nil {
		return nil, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil {
		return nil, err
	}
	if name := strings.Split(vkey, "+")[0]; lines[0] != name {
		return nil, fmt.Errorf("the checkpoint is of %q, not %q", lines[0], name)
	}
	return &checkpoint{lines[0], size, root}, nil
}

func verifyNote(args []string) error {
	if err := expect(args, "vkey", "file"); err != nil {
		return err
	}
	text, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	_, err = openNote(text, args[0])
	return err
}

// verifyProof checks a c2sp.org/tlog-proof@v1 file with both libraries.
func verifyProof(args []string) error {
	if err := expect(args, "vkey", "file", "entry in hex"); err != nil {
		return err
	}
	text, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	entry, err := hex.DecodeString(args[2])
	if err != nil {
		return err
	}
	head, signed, found := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return fmt.Errorf("not a tlog-proof")
	}
	index, err := strconv.ParseUint(strings.TrimPrefix(lines[1], "index "), 10, 63)
	if err != nil {
		return err
	}
	hashes, err := decodeHashes(lines[2:])
	if err != nil {
		return err
	}
	cp, err := openCheckpoint(signed, args[0])
	if err != nil {
		return err
	}
	leaf := rfc6962.DefaultHasher.HashLeaf(entry)
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, index, cp.size, leaf, hashes, cp.root); err != nil {
		return err
	}
	record := make(tlog.RecordProof, len(hashes))
	for n, hash := range hashes {
		record[n] = tlog.Hash(hash)
	}
	return tlog.CheckRecord(record, int64(cp.size), tlog.Hash(cp.root), int64(index), tlog.RecordHash(entry))
}

// verifyConsistency takes two sizes, two roots and the hashes of the proof.
func verifyConsistency(args []string) error {
	if len(args) < 4 {
		return fmt.Errorf("expected two sizes, two roots and hashes")
	}
	older, err := strconv.ParseUint(args[0], 10, 63)
	if err != nil {
		return err
	}
	newer, err := strconv.ParseUint(args[1], 10, 63)
	if err != nil {
		return err
	}
	hashes, err := decodeHashes(args[2:])
	if err != nil {
		return err
	}
	return proof.VerifyConsistency(rfc6962.DefaultHasher, older, newer, hashes[2:], hashes[0], hashes[1])
}

func decodeHashes(lines []string) ([][]byte, error) {
	hashes := make([][]byte, 0, len(lines))
	for _, line := range lines {
		hash, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return nil, err
		}
		if len(hash) != tlog.HashSize {
			return nil, fmt.Errorf("a hash has %d bytes", len(hash))
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

// verifyLog reads a whole log: every entry, and every tile through the reader that authenticates tiles.
func verifyLog(args []string) error {
	if err := expect(args, "vkey", "folder"); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(args[1], "checkpoint"))
	if err != nil {
		return err
	}
	cp, err := openCheckpoint(text, args[0])
	if err != nil {
		return err
	}
	tree := tlog.Tree{N: int64(cp.size), Hash: tlog.Hash(cp.root)}
	hashes := tlog.TileHashReader(tree, &folder{args[1]})
	grown := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	for index := uint64(0); index < cp.size; {
		entries, err := readBundle(args[1], index/256, min(256, cp.size-index))
		if err != nil {
			return err
		}
		for _, entry := range entries {
			leaf := rfc6962.DefaultHasher.HashLeaf(entry)
			if err := grown.Append(leaf, nil); err != nil {
				return err
			}
			stored, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(index))})
			if err != nil {
				return err
			}
			if !bytes.Equal(stored[0][:], leaf) {
				return fmt.Errorf("entry %d is not the leaf of its tile", index)
			}
			index++
		}
	}
	root, err := grown.GetRootHash(nil)
	if err != nil {
		return err
	}
	if !bytes.Equal(root, cp.root) {
		return fmt.Errorf("the entries do not lead to the root of the checkpoint")
	}
	return nil
}

func readBundle(root string, number, width uint64) ([][]byte, error) {
	path := tilePath("entries", int64(number), int(width))
	content, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(content) >= 2 {
		length := int(binary.BigEndian.Uint16(content))
		if len(content) < 2+length {
			return nil, fmt.Errorf("%s is cut", path)
		}
		entries = append(entries, content[2:2+length])
		content = content[2+length:]
	}
	if len(content) != 0 || uint64(len(entries)) != width {
		return nil, fmt.Errorf("%s has %d entries, not %d", path, len(entries), width)
	}
	return entries, nil
}

func tilePath(level string, number int64, width int) string {
	path := tlog.Tile{H: 8, L: 0, N: number, W: width}.Path()
	return "tile/" + level + "/" + strings.TrimPrefix(path, "tile/8/0/")
}

// folder reads tiles in the layout of c2sp.org/tlog-tiles, which leaves the height out of the path.
type folder struct{ root string }

func (f *folder) Height() int { return 8 }

func (f *folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f *folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		content, err := os.ReadFile(filepath.Join(f.root, tilePath(strconv.Itoa(tile.L), tile.N, tile.W)))
		if err != nil {
			return nil, err
		}
		found = append(found, content)
	}
	return found, nil
}
