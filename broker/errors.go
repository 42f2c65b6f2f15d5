package broker

import (
	"errors"
	"fmt"
)

// Errors that callers match with errors.Is.
var (
	ErrShuttingDown         = errors.New("the broker is shutting down")
	ErrTooManySessions      = errors.New("too many sessions")
	ErrEnded                = errors.New("the session has ended")
	ErrDenied               = errors.New("no permission")
	ErrNameTooLong          = errors.New("name is too long")
	ErrMessageTooLarge      = errors.New("message is too large")
	ErrTooManySubscriptions = errors.New("too many subscriptions")
	ErrTooManyComplex       = errors.New("too many patterns with three or more stars")
	ErrReserved             = errors.New("channel is reserved")
	ErrNoRetained           = errors.New("retained messages are disabled for this channel")
	ErrNoHistory            = errors.New("history is not enabled for this channel")
	ErrNoPresence           = errors.New("presence is not enabled for this channel")
	ErrStateFull            = errors.New("retained messages and members have reached max-state-bytes")
	ErrTooManyJoins         = errors.New("too many members joined by one session")
)

// NameError says which channel or pattern an error is about.
type NameError struct {
	Name string
	Err  error
}

func (e *NameError) Error() string { return fmt.Sprintf("%q: %v", e.Name, e.Err) }
func (e *NameError) Unwrap() error { return e.Err }

// TooLargeError is the ErrMessageTooLarge of a message over the limit.
type TooLargeError struct{ Limit int }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("message exceeds max-message (%d bytes)", e.Limit)
}
func (e *TooLargeError) Unwrap() error { return ErrMessageTooLarge }

// Reason says why a session ended.
type Reason uint8

// The reasons. Transports map them to close codes and count them.
const (
	ReasonNone     Reason = iota // not ended
	ReasonClosed                 // the peer left
	ReasonQuit                   // the peer said good-bye
	ReasonKilled                 // an operator or another client ended it
	ReasonSlow                   // its queue passed a limit, or it took no bytes for too long
	ReasonShutdown               // the node stops
	ReasonProtocol               // the peer broke the protocol
	ReasonTooBig                 // the peer sent more than it may
	ReasonIdle                   // the peer was silent for too long
	ReasonRate                   // the peer asked too often for too long
	ReasonDenied                 // rights were taken away
	ReasonExpired                // no authentication in time, or it ran out
	ReasonInternal               // our fault; the log has it
	reasons
)

var reasonNames = [reasons]string{
	"none", "closed", "quit", "killed", "slow", "shutdown", "protocol", "too-big",
	"idle", "rate", "denied", "expired", "internal",
}

func (r Reason) String() string {
	if r < reasons {
		return reasonNames[r]
	}
	return "unknown"
}
