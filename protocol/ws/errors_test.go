package ws

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"fanfare/broker"
)

// sentinels are the broker's errors by name, so that the test below notices a
// new one.
var sentinels = map[string]error{
	"ErrTooManySessions": broker.ErrTooManySessions, "ErrShuttingDown": broker.ErrShuttingDown, "ErrEnded": broker.ErrEnded, "ErrDenied": broker.ErrDenied,
	"ErrNameTooLong": broker.ErrNameTooLong, "ErrMessageTooLarge": broker.ErrMessageTooLarge,
	"ErrTooManySubscriptions": broker.ErrTooManySubscriptions, "ErrTooManyComplex": broker.ErrTooManyComplex,
	"ErrTooManyJoins": broker.ErrTooManyJoins, "ErrReserved": broker.ErrReserved, "ErrNoRetained": broker.ErrNoRetained,
	"ErrNoHistory": broker.ErrNoHistory, "ErrNoPresence": broker.ErrNoPresence, "ErrStateFull": broker.ErrStateFull,
}

func TestEveryErrorOfTheBrokerHasACode(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "../../broker/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.VAR {
			continue
		}
		for _, spec := range gen.Specs {
			values, ok := spec.(*ast.ValueSpec)
			if !ok {
				t.Fatalf("%T in a var declaration", spec)
			}
			for _, name := range values.Names {
				if !strings.HasPrefix(name.Name, "Err") {
					continue
				}
				sentinel := sentinels[name.Name]
				if sentinel == nil || faultOf(fmt.Errorf("x: %w", sentinel)) == faultInternal {
					t.Errorf("broker.%s has no row in faults", name.Name)
				}
			}
		}
	}
	if got := faultOf(errors.New("secret")); got != faultInternal {
		t.Errorf("another error is %v, want internal", got)
	}
}

func TestEveryReasonHasItsCloseCode(t *testing.T) {
	t.Parallel()
	silent := map[broker.Reason]bool{broker.ReasonNone: true, broker.ReasonClosed: true, broker.ReasonQuit: true}
	for reason := broker.ReasonNone; reason.String() != "unknown"; reason++ {
		frame := closeFrames[reason]
		if (frame == nil) != silent[reason] {
			t.Errorf("%v: close frame %q", reason, frame)
			continue
		}
		if frame == nil {
			continue
		}
		if len(frame) != int(frame[1])+2 || frame[0] != 0x88 {
			t.Errorf("%v: % x is no close frame", reason, frame)
		}
		if code := int(frame[2])<<8 | int(frame[3]); code < 4400 || code > 4599 {
			t.Errorf("%v: close code %d", reason, code)
		}
	}
}
