package resp

import "fanfare/kv"

// call is one command on its way through dispatch. There is one per
// connection, reused for every command; nothing of it is kept after run.
type call struct {
	conn *conn
	cmd  *command // the row, of the subcommand where there is one
	// args holds the name and the arguments. The bytes are valid until run
	// returns (inside EXEC: until EXEC returns) and must be copied to be kept.
	args [][]byte
	// db is the connection's selected database.
	db int
	// tx holds the locks of the command's keys; nil for commands without any.
	tx *kv.Tx
	// w takes the reply.
	w *Writer
	// inExec says that the command runs inside EXEC, where nothing may wait.
	inExec bool
}

// fail replies with the text that belongs to an error of broker or kv.
func (x *call) fail(err error) { x.w.Error(errorText(err)) }

// syntaxError replies with the error of arguments that make no sense.
func (x *call) syntaxError() { x.w.Error(textSyntax) }

// wrongArgs replies as dispatch does for a wrong number of arguments; for
// commands whose arity depends on an option.
func (x *call) wrongArgs() { x.w.Error(wrongArgsText(x.cmd)) }

// option says whether argument i is the given upper-case word, in any case.
func (x *call) option(i int, word string) bool {
	return i < len(x.args) && equalFold(x.args[i], word)
}
