package passport

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const (
	// DefaultTimeout is the deadline of a unary call whose context has none.
	DefaultTimeout = 30 * time.Second

	longestMessage = 64 * 1024 * 1024
	quietTime      = time.Minute
)

// Client is a connection to one server, for any number of goroutines. What goes wrong in a call is an *Error; a request
// that takes a request_id and has none gets a new one, so that the retries of this call are one change.
type Client struct {
	*grpc.ClientConn
}

// Dial returns a client of the target. It connects on first use; options come after the client's own.
func Dial(target Target, options ...grpc.DialOption) (*Client, error) {
	if err := target.check(); err != nil {
		return nil, err
	}
	transport := insecure.NewCredentials()
	if !target.Plaintext {
		config, err := target.tlsConfig()
		if err != nil {
			return nil, err
		}
		transport = credentials.NewTLS(config)
	}
	own := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithUserAgent("release-passport-go/" + Version),
		grpc.WithDefaultServiceConfig(serviceConfig()),
		// What may be repeated is not for the network's name service to say.
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(longestMessage)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: quietTime}),
		grpc.WithChainUnaryInterceptor(callUnary),
		grpc.WithChainStreamInterceptor(callStream),
	}
	if target.Token != nil {
		own = append(own, grpc.WithPerRPCCredentials(perCall{target.Token, !target.Plaintext}))
	}
	if target.Plaintext {
		// A proxy from the environment must never see, or answer, what is meant for this machine.
		own = append(own, grpc.WithNoProxy())
	}
	connection, err := grpc.NewClient(target.Server, append(own, options...)...)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", target.Server, err)
	}
	return &Client{connection}, nil
}

// serviceConfig returns which calls are tried again when the server is unavailable.
func serviceConfig() string {
	names := make([]map[string]string, 0, len(retried))
	for _, call := range retried {
		service, method, _ := strings.Cut(call, "/")
		names = append(names, map[string]string{"service": service, "method": method})
	}
	policy := map[string]any{
		"maxAttempts":       4,
		"initialBackoff":    "0.2s",
		"maxBackoff":        "2s",
		"backoffMultiplier": 2,
		// What reaches a server in the moment that it ends is shed as CANCELLED, unheard.
		"retryableStatusCodes": []string{"UNAVAILABLE", "CANCELLED"},
	}
	config, err := json.Marshal(map[string]any{"methodConfig": []any{map[string]any{"name": names, "retryPolicy": policy}}})
	if err != nil {
		panic(err)
	}
	return string(config)
}

func callUnary(
	ctx context.Context, method string, request, answer any, connection *grpc.ClientConn,
	invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, DefaultTimeout)
		defer cancel()
	}
	if err := invoke(ctx, method, withRequestID(request), answer, connection, options...); err != nil {
		return asError(ctx, err)
	}
	return nil
}

func callStream(
	ctx context.Context, description *grpc.StreamDesc, connection *grpc.ClientConn, method string,
	open grpc.Streamer, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	stream, err := open(ctx, description, connection, method, options...)
	if err != nil {
		return nil, asError(ctx, err)
	}
	return &told{stream}, nil
}

// told is a stream whose end is told as an *Error.
type told struct{ grpc.ClientStream }

func (t *told) RecvMsg(message any) error {
	return asError(t.Context(), t.ClientStream.RecvMsg(message))
}

func withRequestID(request any) any {
	message, ok := request.(proto.Message)
	if !ok {
		return request
	}
	reflected := message.ProtoReflect()
	field := reflected.Descriptor().Fields().ByName("request_id")
	if field == nil || reflected.Get(field).String() != "" {
		return request
	}
	clone := proto.Clone(message)
	clone.ProtoReflect().Set(field, protoreflect.ValueOfString(rand.Text()))
	return clone
}
