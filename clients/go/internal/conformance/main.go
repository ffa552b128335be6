// Command conformance runs the table of tests/conformance/clients.yaml with this client.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	passportv1 "release-passport.dev/gen/release_passport/v1"
	"release-passport.dev/passport"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

type line struct {
	Call    string          `json:"call"`
	Request json.RawMessage `json:"request"`
	Gate    bool            `json:"gate"`
	Timeout float64         `json:"timeout"`
}

type failure struct {
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

type gated struct {
	Verdict string   `json:"verdict"`
	Proceed bool     `json:"proceed"`
	Reasons []string `json:"reasons"`
}

type answer struct {
	Answer json.RawMessage `json:"answer,omitempty"`
	Error  *failure        `json:"error,omitempty"`
	Gate   *gated          `json:"gate,omitempty"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	authorities, err := os.ReadFile(os.Getenv("PASSPORT_CA"))
	if err != nil {
		return err
	}
	client, err := passport.Dial(passport.Target{
		Server:         os.Getenv("PASSPORT_ADDRESS"),
		Token:          passport.StaticToken(os.Getenv("PASSPORT_TOKEN")),
		CACertificates: authorities,
	})
	if err != nil {
		return err
	}
	defer client.Close()
	answer := answered
	if len(os.Args) == 2 && os.Args[1] == "watch" {
		answer = watched
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16*1024*1024)
	for lines.Scan() {
		said, err := answer(client, lines.Bytes())
		if err != nil {
			return fmt.Errorf("%.100s: %w", lines.Bytes(), err)
		}
		if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
			return err
		}
	}
	return lines.Err()
}

func answered(client *passport.Client, content []byte) (any, error) {
	var asked line
	if err := json.Unmarshal(content, &asked); err != nil {
		return nil, err
	}
	service, name, _ := strings.Cut(asked.Call, "/")
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName("release_passport.v1." + service))
	if err != nil {
		return nil, err
	}
	method := found.(protoreflect.ServiceDescriptor).Methods().ByName(protoreflect.Name(name))
	if method == nil {
		return nil, errors.New("the client has no such method")
	}
	request, err := made(method.Input())
	if err != nil {
		return nil, err
	}
	if err := protojson.Unmarshal(asked.Request, request); err != nil {
		return nil, err
	}
	response, err := made(method.Output())
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	if asked.Timeout != 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(asked.Timeout*float64(time.Second)))
		defer cancel()
	}
	if question, ok := request.(*passportv1.EvaluateRequest); ok && asked.Gate {
		return asGate(client.Gate(ctx, passport.Question{Tenant: question.Tenant, Release: question.Release}))
	}
	err = client.Invoke(ctx, "/release_passport.v1."+asked.Call, request, response)
	var known *passport.Error
	if errors.As(err, &known) {
		return &answer{Error: &failure{code.Code(known.Code).String(), known.Reason}}, nil
	}
	if err != nil {
		return nil, err
	}
	content, err = protojson.Marshal(response)
	return &answer{Answer: content}, err
}

func asGate(said *passport.Answer, err error) (any, error) {
	var known *passport.Error
	if errors.As(err, &known) {
		return &answer{Error: &failure{code.Code(known.Code).String(), known.Reason}}, nil
	}
	reasons := []string{}
	for _, reason := range said.Reasons {
		reasons = append(reasons, reason.Code)
	}
	return &answer{Gate: &gated{said.Verdict.String(), said.Proceed, reasons}}, err
}

func made(message protoreflect.MessageDescriptor) (proto.Message, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(message.FullName())
	if err != nil {
		return nil, err
	}
	return kind.New().Interface(), nil
}
