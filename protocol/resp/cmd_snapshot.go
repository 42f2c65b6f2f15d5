package resp

import (
	"errors"

	"fanfare/broker"
)

func init() {
	register(
		&command{
			name: "save", arity: 1, flags: flagAdmin | flagNoScript | flagNoAsyncLoading | flagNoMulti,
			group: "server", since: "1.0.0", complexity: "O(N) for N keys and messages",
			summary: "Writes a snapshot and answers when it is on the disk. Others go on meanwhile.", run: save,
		},
		&command{
			name: "bgsave", arity: -1, flags: flagAdmin | flagNoScript | flagNoAsyncLoading,
			group: "server", since: "1.0.0", complexity: "O(1)",
			summary: "Begins a snapshot in the background.", run: backgroundSave,
		},
		&command{
			name: "lastsave", arity: 1, flags: flagLoading | flagStale | flagFast, acl: "admin dangerous",
			group: "server", since: "1.0.0", complexity: "O(1)",
			summary: "Returns when the last snapshot was written, as Unix time; before the first, when the server began.",
			run:     lastSave,
		},
	)
}

const (
	textSaving      = "ERR Background save already in progress"
	textSaveFailed  = "ERR the snapshot could not be written; the log says why"
	textNoSnapshots = "ERR snapshots are disabled: the broker was started without --dir"
)

// save waits with the connection uncorked: what is pushed meanwhile leaves before
// the reply. A server that stops writes a snapshot of its own.
func save(x *call) {
	c := x.conn
	snapshots := c.server.cfg.Snapshots
	if snapshots == nil {
		x.w.Error(textNoSnapshots)
		return
	}
	result := make(chan error, 1)
	go func() { result <- snapshots.Save() }()
	var err error
	goesOn := c.wait(func() {
		select {
		case err = <-result:
		case <-c.stop.stopped:
			if c.alive() {
				c.quit = broker.ReasonShutdown
			}
		}
	})
	if goesOn {
		x.saved(err, "OK")
	}
}

func backgroundSave(x *call) {
	if len(x.args) > 2 || len(x.args) == 2 && !x.option(1, "SCHEDULE") {
		x.syntaxError()
		return
	}
	snapshots := x.conn.server.cfg.Snapshots
	if snapshots == nil {
		x.w.Error(textNoSnapshots)
		return
	}
	began := "Background saving started"
	if x.inExec {
		began = "Background saving scheduled" // it comes behind the transaction, whose keys are locked
	}
	x.saved(snapshots.Background(), began)
}

func (x *call) saved(err error, good string) {
	switch {
	case err == nil:
		x.w.SimpleString(good)
	case errors.Is(err, ErrSaving):
		x.w.Error(textSaving)
	default:
		x.w.Error(textSaveFailed)
	}
}

func lastSave(x *call) {
	s := x.conn.server
	at := s.started
	if s.cfg.Snapshots != nil {
		at = s.cfg.Snapshots.Stats().Last
	}
	x.w.Int(at.Unix())
}
