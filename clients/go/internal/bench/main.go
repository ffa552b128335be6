// Command bench measures this client: a unary call beside the bare stub, or with `watch`, what a thousand subscriptions hear.
package main

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	passportv1 "release-passport.dev/gen/release_passport/v1"
	"release-passport.dev/passport"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
)

const (
	rounds = 41
	calls  = 60
	warmUp = 5
	// A stream takes 256 subscriptions.
	subscriptions = 250
)

func main() {
	measure := unary
	if len(os.Args) == 2 && os.Args[1] == "watch" {
		measure = watch
	}
	if err := measure(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func dial() (*passport.Client, []byte, error) {
	target := passport.Target{
		Server: os.Getenv("PASSPORT_ADDRESS"),
		Token:  passport.StaticToken(os.Getenv("PASSPORT_TOKEN")),
	}
	path := os.Getenv("PASSPORT_CA")
	if path == "" {
		target.Plaintext = true
		client, err := passport.Dial(target)
		return client, nil, err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	target.CACertificates = content
	client, err := passport.Dial(target)
	return client, content, err
}

func unary(ctx context.Context) error {
	client, authorities, err := dial()
	if err != nil {
		return err
	}
	defer client.Close()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authorities)
	connection, err := grpc.NewClient(client.Target(), grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(pool, "")))
	if err != nil {
		return err
	}
	defer connection.Close()
	head := metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+os.Getenv("PASSPORT_TOKEN"))
	ways := []func() error{
		func() error {
			limited, cancel := context.WithTimeout(head, passport.DefaultTimeout)
			defer cancel()
			_, err := passportv1.NewAccessServiceClient(connection).WhoAmI(limited, &passportv1.WhoAmIRequest{})
			return err
		},
		func() error {
			_, err := passportv1.NewAccessServiceClient(client).WhoAmI(ctx, &passportv1.WhoAmIRequest{})
			return err
		},
	}
	var times [2][]float64
	var ratios []float64
	for round := range rounds {
		var took [2]float64
		for _, way := range []int{round % 2, 1 - round%2} {
			began := time.Now()
			for range calls {
				if err := ways[way](); err != nil {
					return err
				}
			}
			took[way] = float64(time.Since(began).Microseconds()) / 1000 / calls
		}
		if round >= warmUp {
			times[0], times[1] = append(times[0], took[0]), append(times[1], took[1])
			ratios = append(ratios, took[1]/took[0])
		}
	}
	said := map[string]float64{"bareMs": median(times[0]), "thinMs": median(times[1]), "ratio": median(ratios)}
	return json.NewEncoder(os.Stdout).Encode(said)
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// watch reads releases, one a line, and writes the revisions of what happens to them, one a line, and a line without one
// each time that a watcher has heard all that stood.
func watch(ctx context.Context) error {
	client, _, err := dial()
	if err != nil {
		return err
	}
	defer client.Close()
	var subscribed []*passportv1.Subscription
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		subscribed = append(subscribed, &passportv1.Subscription{Release: lines.Text()})
	}
	var writing sync.Mutex
	ends := make(chan error)
	for part := range slices.Chunk(subscribed, subscriptions) {
		request := &passportv1.WatchDecisionRequest{Subscriptions: part, Delivery: passportv1.Delivery_DELIVERY_EVERY}
		watcher := client.Watch(request, passport.WatchOptions{Logger: slog.New(slog.DiscardHandler)})
		go func() {
			for update, err := range watcher.Updates(ctx) {
				writing.Lock()
				switch {
				case err != nil:
					ends <- err
				case update.News == passport.Synced:
					fmt.Println()
				case update.News == passport.Changed:
					fmt.Println(update.Revision)
				}
				writing.Unlock()
			}
			ends <- errors.New("a watcher ended")
		}()
	}
	return <-ends
}
