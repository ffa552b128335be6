package passport

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ResumeStore keeps where a watcher goes on when its process does.
type ResumeStore interface {
	// Load returns the token; empty where there is none.
	Load() (string, error)
	// Save replaces the token.
	Save(token string) error
}

// ResumeFile keeps the token in a file, which is never half written.
type ResumeFile string

// Load returns the token; empty where there is no file.
func (f ResumeFile) Load() (string, error) {
	content, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(content)), err
}

// Save replaces the file as a whole.
func (f ResumeFile) Save(token string) error {
	file, err := os.CreateTemp(filepath.Dir(string(f)), filepath.Base(string(f))+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.WriteString(token)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), string(f))
}

// forgetful keeps nothing: each process begins with what stands.
type forgetful struct{}

func (forgetful) Load() (string, error) { return "", nil }
func (forgetful) Save(string) error     { return nil }
