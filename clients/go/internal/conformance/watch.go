package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"

	passportv1 "release-passport.dev/gen/release_passport/v1"
	"release-passport.dev/passport"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/protobuf/encoding/protojson"
)

type scenario struct {
	Request  json.RawMessage `json:"request"`
	Updates  int             `json:"updates"`
	Releases []string        `json:"releases"`
}

type heard struct {
	Updates  []string          `json:"updates"`
	Verdicts map[string]string `json:"verdicts"`
	Error    *failure          `json:"error"`
}

func watched(client *passport.Client, content []byte) (any, error) {
	var asked scenario
	if err := json.Unmarshal(content, &asked); err != nil {
		return nil, err
	}
	request := &passportv1.WatchDecisionRequest{}
	if err := protojson.Unmarshal(asked.Request, request); err != nil {
		return nil, err
	}
	said := &heard{Updates: []string{}, Verdicts: map[string]string{}}
	watcher := client.Watch(request, passport.WatchOptions{Logger: slog.New(slog.DiscardHandler)})
	for update, err := range watcher.Updates(context.Background()) {
		var known *passport.Error
		if errors.As(err, &known) {
			said.Error = &failure{code.Code(known.Code).String(), known.Reason}
			return said, nil
		}
		if err != nil {
			return nil, err
		}
		said.Updates = append(said.Updates, strings.TrimSpace(string(update.News)+" "+update.Decision.GetRelease()))
		if len(said.Updates) == asked.Updates {
			for _, release := range asked.Releases {
				said.Verdicts[release] = watcher.EffectiveVerdict(release).String()
			}
			break
		}
	}
	return said, nil
}
