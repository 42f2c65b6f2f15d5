package resp

import (
	"errors"
	"strings"

	"fanfare/broker"
	"fanfare/kv"
)

// Texts that clients match on. They are protocol and kept as Redis has them.
const (
	textSyntax         = "ERR syntax error"
	textNotInteger     = "ERR value is not an integer or out of range"
	textNotPositive    = "ERR count should be greater than 0"
	textNoAuth         = "NOAUTH Authentication required."
	textWrongPass      = "WRONGPASS invalid username-password pair or user is disabled." // #nosec G101 -- an error text
	textNoProto        = "NOPROTO unsupported protocol version"
	textNoDB           = "ERR DB index is out of range"
	textCluster        = "ERR This instance has cluster support disabled"
	textNestedMulti    = "ERR MULTI calls can not be nested"
	textWatchInMulti   = "ERR WATCH inside MULTI is not allowed"
	textExecNoMulti    = "ERR EXEC without MULTI"
	textDiscardNoMulti = "ERR DISCARD without MULTI"
	textExecAbort      = "EXECABORT Transaction discarded because of previous errors."
	textLoading        = "LOADING Redis is loading the dataset in memory"
	textMaxClients     = "ERR max number of clients reached"
)

// errorTexts maps what broker and kv report to what the peer reads. A test
// fails for a sentinel of either package that is missing here.
var errorTexts = []struct {
	err  error
	text string
}{
	{broker.ErrDenied, "NOPERM No permissions to access a channel"},
	{broker.ErrNameTooLong, "ERR channel or pattern is longer than max-name"},
	{broker.ErrTooManySubscriptions, "ERR max number of subscriptions reached"},
	{broker.ErrTooManyComplex, "ERR max number of patterns with three or more stars reached"},
	{broker.ErrTooManyJoins, "ERR max number of members of a connection reached"},
	{broker.ErrTooManySessions, textMaxClients},
	{broker.ErrReserved, "ERR channel is reserved"},
	{broker.ErrNoRetained, "ERR retained messages are disabled for this channel"},
	{broker.ErrNoHistory, "ERR history is not enabled for this channel"},
	{broker.ErrNoPresence, "ERR presence is not enabled for this channel"},
	{broker.ErrStateFull, kv.ErrOOM.Error()},
	{broker.ErrEnded, "ERR the session has ended"},
	{broker.ErrShuttingDown, "ERR the server is shutting down"},
	// The store's errors are Redis' lines already. The command names itself in the
	// one about an expire time, which therefore never comes here.
	{kv.ErrWrongType, kv.ErrWrongType.Error()},
	{kv.ErrNotInteger, kv.ErrNotInteger.Error()},
	{kv.ErrNotFloat, kv.ErrNotFloat.Error()},
	{kv.ErrNaN, kv.ErrNaN.Error()},
	{kv.ErrScoreBound, kv.ErrScoreBound.Error()},
	{kv.ErrMemberBound, kv.ErrMemberBound.Error()},
	{kv.ErrOverflow, kv.ErrOverflow.Error()},
	{kv.ErrInfinite, kv.ErrInfinite.Error()},
	{kv.ErrHashInteger, kv.ErrHashInteger.Error()},
	{kv.ErrHashFloat, kv.ErrHashFloat.Error()},
	{kv.ErrNotFinite, kv.ErrNotFinite.Error()},
	{kv.ErrStringTooLong, kv.ErrStringTooLong.Error()},
	{kv.ErrNoKey, kv.ErrNoKey.Error()},
	{kv.ErrIndex, kv.ErrIndex.Error()},
	{kv.ErrOOM, kv.ErrOOM.Error()},
	{kv.ErrCounted, kv.ErrCounted.Error()},
	{kv.ErrNotCounted, kv.ErrNotCounted.Error()},
	{kv.ErrExpireTime, kv.ErrExpireTime.Error()},
	{kv.ErrExpireNX, kv.ErrExpireNX.Error()},
	{kv.ErrExpireGTLT, kv.ErrExpireGTLT.Error()},
}

// errorText returns the error reply for an error of broker or kv. The text of
// an error that is not in the table stays out of the reply.
func errorText(err error) string {
	if large := (*broker.TooLargeError)(nil); errors.As(err, &large) {
		return "ERR " + large.Error()
	}
	for _, row := range errorTexts {
		if errors.Is(err, row.err) {
			return row.text
		}
	}
	return "ERR internal error"
}

func wrongArgsText(cmd *command) string {
	return "ERR wrong number of arguments for '" + cmd.full + "' command"
}

// echoed is how many bytes of a peer's words an error text repeats.
const echoed = 128

// unknownCommandText quotes the name and as many arguments as fit 128 bytes.
func unknownCommandText(args [][]byte) string {
	var b strings.Builder
	for _, arg := range args[1:] {
		if b.Len() >= echoed {
			break
		}
		b.WriteByte('\'')
		b.WriteString(quoted(arg, echoed-b.Len()+1))
		b.WriteString("' ")
	}
	return "ERR unknown command '" + quoted(args[0], echoed) + "', with args beginning with: " + b.String()
}

func unknownSubcommandText(args [][]byte) string {
	return "ERR unknown subcommand '" + quoted(args[1], echoed) +
		"'. Try " + strings.ToUpper(string(args[0])) + " HELP."
}

// quoted cuts a peer's word at n bytes or its first NUL, as C's "%.*s" does.
func quoted(word []byte, n int) string {
	s := string(word[:min(len(word), n)])
	s, _, _ = strings.Cut(s, "\x00")
	return s
}

// withoutCode returns an error's text without the general code.
func withoutCode(text string) string { return strings.TrimPrefix(text, "ERR ") }
