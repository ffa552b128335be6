package passport

import (
	"context"
	"errors"
	"io"
	"time"

	passportv1 "release-passport.dev/gen/release_passport/v1"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Violation is one thing that is wrong with a request: the field's path and what to change.
type Violation struct {
	Field, Description string
}

// Error is a call that gave no answer. Reason is stable, Message is for people.
type Error struct {
	Code    codes.Code
	Message string
	// Reason is the name without its prefix, such as ETAG_MISMATCH; empty where the server did not get to give one.
	Reason string
	// Metadata are facts that belong to the reason.
	Metadata   map[string]string
	Violations []Violation
	// RetryAfter is how long the server asks to wait; 0 where it does not.
	RetryAfter time.Duration

	cause error
}

// Error returns the text with its reason or code.
func (e *Error) Error() string {
	if e.Reason != "" {
		return e.Reason + ": " + e.Message
	}
	return e.Code.String() + ": " + e.Message
}

// Unwrap returns what the error was made from.
func (e *Error) Unwrap() error { return e.cause }

// GRPCStatus returns the status of the call, for status.FromError and its like.
func (e *Error) GRPCStatus() *status.Status { return status.New(e.Code, e.Message) }

// Known returns the reason as a value to switch on; UNSPECIFIED for one that this client does not know.
func (e *Error) Known() passportv1.ErrorReason {
	return passportv1.ErrorReason(passportv1.ErrorReason_value["ERROR_REASON_"+e.Reason])
}

// IsUnreachable says whether the server could not be reached or did not answer in time.
func (e *Error) IsUnreachable() bool {
	return e.Code == codes.Unavailable || e.Code == codes.DeadlineExceeded
}

// IsTransient says whether the same call may succeed after a while.
func (e *Error) IsTransient() bool {
	return e.IsUnreachable() || e.Code == codes.ResourceExhausted || e.Code == codes.Aborted
}

// ReasonOf returns the reason of a failed call; UNSPECIFIED for any other error.
func ReasonOf(err error) passportv1.ErrorReason {
	var known *Error
	if errors.As(err, &known) {
		return known.Known()
	}
	return passportv1.ErrorReason_ERROR_REASON_UNSPECIFIED
}

func asError(ctx context.Context, err error) error {
	var already *Error
	if err == nil || err == io.EOF || errors.As(err, &already) {
		return err
	}
	said := status.Convert(err)
	made := &Error{Code: said.Code(), Message: said.Message(), cause: err}
	if made.Code == codes.Canceled {
		// The server's core sheds bursts of calls as CANCELLED, which is not what the caller did.
		if cause := ctx.Err(); cause != nil {
			made.cause = cause
		} else {
			made.Code = codes.Unavailable
		}
	}
	for _, detail := range said.Details() {
		made.add(detail)
	}
	return made
}

func (e *Error) add(detail any) {
	switch detail := detail.(type) {
	case *errdetails.ErrorInfo:
		e.Reason, e.Metadata = detail.GetReason(), detail.GetMetadata()
	case *errdetails.BadRequest:
		for _, violation := range detail.GetFieldViolations() {
			e.Violations = append(e.Violations, Violation{violation.GetField(), violation.GetDescription()})
		}
	case *errdetails.PreconditionFailure:
		for _, violation := range detail.GetViolations() {
			e.Violations = append(e.Violations, Violation{violation.GetSubject(), violation.GetDescription()})
		}
	case *errdetails.RetryInfo:
		e.RetryAfter = detail.GetRetryDelay().AsDuration()
	}
}
