// Package resp speaks the Redis protocol, RESP2 and RESP3, and behaves as Redis
// 7.2 for every command it knows.
//
// A connection has one goroutine, its reader. It waits for input without holding
// a buffer, lets the guard split what came into commands (framing.go), and
// executes all that are complete (conn.go, dispatch.go). While it does, the
// connection's queue is corked: replies go into one buffer, and messages for
// the connection itself wait until that buffer has been queued. So a message
// never lands inside a reply or before the acknowledgement of its subscription.
// The queue is uncorked when the commands that were read are done, after 56 KiB
// of replies or 10 ms, and before every wait.
//
// A command is a row of one table (commands.go), registered by the init function
// of a cmd_*.go file. Dispatch checks what is the same for all of them, begins
// the transaction of the store that the row's keys ask for, and runs the row's
// function. A run of consecutive PUBLISH enters the broker's log as one batch
// (publish.go); EXEC runs its queue under the locks of all its keys
// (transaction.go).
//
// redcon is the codec: redcon.ReadNextCommand reads commands that the guard has
// found complete and legal, and redcon.Append* write replies. Inline commands
// and the types of RESP3 are our own.
package resp
