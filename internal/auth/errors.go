package auth

import (
	"errors"
	"fmt"
)

// The classes of refused tokens. Their texts are for everybody: they say nothing
// about keys, and nothing of the token.
var (
	ErrExpired = errors.New("the token has expired")
	ErrInvalid = errors.New("the token is not valid")
	ErrRevoked = errors.New("the token was revoked")
)

// Refusal is why a token is refused, with errors.Is one of ErrExpired, ErrInvalid
// and ErrRevoked. Its Error is for the log: it names the reason, and of the token at
// most the names of user and key, quoted and cut. The peer gets Public.
type Refusal struct {
	class  error
	reason string
}

func (r *Refusal) Error() string { return r.class.Error() + ": " + r.reason }

// Unwrap returns the class.
func (r *Refusal) Unwrap() error { return r.class }

// Reason is what was found, for the log.
func (r *Refusal) Reason() string { return r.reason }

// Public is the text for the peer, one for each class.
func (r *Refusal) Public() string { return r.class.Error() }

func invalid(format string, args ...any) error {
	return &Refusal{ErrInvalid, fmt.Sprintf(format, args...)}
}
