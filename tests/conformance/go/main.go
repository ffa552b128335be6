// Verifies what Release Passport writes with other people's code: checkpoints, trees, proofs, envelopes, statements.
package main

import (
	"fmt"
	"os"
)

var commands = map[string]func(args []string) error{
	"note":        verifyNote,
	"proof":       verifyProof,
	"consistency": verifyConsistency,
	"log":         verifyLog,
	"envelope":    verifyEnvelope,
	"vsa":         verifyVSA,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: conformance note|proof|consistency|log|envelope|vsa ARGUMENTS")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("PASSED")
}

func expect(args []string, names ...string) error {
	if len(args) != len(names) {
		return fmt.Errorf("expected the arguments %v", names)
	}
	return nil
}
