package broker_test

import (
	"fmt"
	"os"

	"fanfare/broker"
)

// printer is the smallest Outlet: what is pushed to it is printed.
type printer struct{}

func (printer) Push(d *broker.Delivery, _ *broker.Subscription) broker.Verdict {
	_, _ = os.Stdout.Write(d.Lead.Bytes())
	_, _ = os.Stdout.Write(d.Range.Bytes())
	return broker.Pushed
}
func (printer) Flush()                    {}
func (printer) Drop(*broker.Subscription) {}
func (printer) End(broker.Reason)         {}
func (printer) Oldest() (uint64, bool)    { return 0, false }

// A transport registers a codec, gives each connection an outlet, and calls the
// session. Here a line of text is a delivery.
func Example() {
	lines := broker.Codec{
		Name:   "lines",
		Prefix: func(dst []byte, _ broker.Kind, _ string) []byte { return dst },
		Body: func(dst []byte, m *broker.Message) []byte {
			return fmt.Appendf(dst, "%s: %s\n", m.Channel, m.Payload)
		},
	}
	b, err := broker.New(broker.Config{Codecs: []broker.Codec{lines}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	session, err := b.Connect(broker.SessionConfig{Outlet: printer{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer session.Close()
	if _, _, err := session.Subscribe(broker.KindPattern, []string{"chat:*"}, nil); err != nil {
		fmt.Println(err)
		return
	}

	batch := session.Batch()
	defer batch.Release()
	if err := batch.Add(&broker.Message{Channel: "chat:lobby", Payload: []byte("hi")}); err != nil {
		fmt.Println(err)
		return
	}
	receipts := batch.Commit(nil)
	session.Await(session.UnsubscribeAll())
	fmt.Println("delivered:", receipts[0].Receivers)
	// Output:
	// chat:lobby: hi
	// delivered: 1
}
