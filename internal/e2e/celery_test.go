package e2e

import (
	"context"
	"fmt"
	"testing"
)

// What Celery's transport does with redis-py: priorities are lists that one BRPOP waits for, and what was
// delivered is kept in a hash and a sorted set until it is acknowledged, or put back.
func TestAQueueAsCeleryKeepsIt(t *testing.T) {
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			t.Parallel()
			addr := server.start(t)
			p, c := runProgram(t, addr, 2, python(t), "py/redispy_types.py"), dial(t, addr, 2)
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			ask := func(want string, result any, name string, args ...any) {
				t.Helper()
				err := p.call(ctx, result, name, args...)
				check(t, name, answerText(result), want, err)
			}
			var (
				list    []string
				counts  []int64
				message *string
			)
			ask(`["celery"]`, &list, "bind", "celery")
			ask("nil", &message, "deliver", "celery", "tag0", 100)
			if err := c.LPush(ctx, "celery\x06\x163", "later").Err(); err != nil {
				t.Fatal(err)
			}
			if err := c.LPush(ctx, "celery", "first", "second").Err(); err != nil {
				t.Fatal(err)
			}
			for i, want := range []string{`"first"`, `"second"`, `"later"`} {
				ask(want, &message, "deliver", "celery", fmt.Sprint("tag", i+1), 101+i)
			}
			ask("[1 1]", &counts, "acknowledge", "tag2")
			ask("[0 0]", &counts, "acknowledge", "tag2")
			ask(`["first"]`, &list, "restore", 101)
			ask(`"first"`, &message, "deliver", "celery", "tag4", 104)
			ask(`["first" "later"]`, &list, "restore", 1000)
			check(t, "what is kept", c.Exists(ctx, "unacked", "unacked_index").Val(), 0, nil)
		})
	}
}

// answerText writes what a program has answered.
func answerText(result any) string {
	switch r := result.(type) {
	case *[]string:
		return fmt.Sprintf("%q", *r)
	case *[]int64:
		return fmt.Sprint(*r)
	case **string:
		if *r != nil {
			return fmt.Sprintf("%q", **r)
		}
	}
	return "nil"
}
