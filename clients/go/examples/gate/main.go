// Command gate asks whether a release may go out, and exits with 0 where it may and with 1 where it may not.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"release-passport.dev/passport"
)

func main() {
	server := flag.String("server", "localhost:8443", "host:port of the server")
	authorities := flag.String("ca", "", "a PEM file of the authorities to trust; those of the system if empty")
	acceptDev := flag.Bool("accept-dev", false, "let the decisions of a server in development mode count")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: PASSPORT_TOKEN=… gate [flags] RELEASE")
		os.Exit(2)
	}
	proceed, err := ask(*server, *authorities, passport.Question{Release: flag.Arg(0), AcceptDev: *acceptDev})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if !proceed {
		os.Exit(1)
	}
}

func ask(server, authorities string, question passport.Question) (bool, error) {
	target := passport.Target{Server: server, Token: passport.StaticToken(os.Getenv("PASSPORT_TOKEN"))}
	if authorities != "" {
		content, err := os.ReadFile(authorities)
		if err != nil {
			return false, err
		}
		target.CACertificates = content
	}
	client, err := passport.Dial(target)
	if err != nil {
		return false, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer, err := client.Gate(ctx, question)
	fmt.Println(answer.Verdict)
	for _, reason := range answer.Reasons {
		fmt.Printf("  %s: %s %s\n", reason.Code, reason.Message, reason.NextAction)
	}
	return answer.Proceed, err
}
