//go:build linux

package main

import (
	"fmt"
	"strconv"
	"strings"
)

// subscription is one name that a connection subscribes to. NATS clients number
// theirs, and every delivery repeats the number; the Redis protocol has none.
type subscription struct {
	name string
	sid  int
}

// dialect is how a server's protocol puts the few things a run needs.
// A unit is a number of publishes that are answered together.
type dialect struct {
	name       func(redis string) string // a channel or pattern of ours as this server spells it
	subscribe  func(subs ...subscription) (request, answer []byte)
	psubscribe func(held int, subs ...subscription) (request, answer []byte) // on a connection with held patterns
	publish    func(dst []byte, channel string, payload []byte) []byte
	unitEnd    string // after each unit
	chatter    string // a line the server may send at any time between others
	answer     func(receivers int) string
	unit       func(window int) int // publishes per unit at this window
	deliver    func(dst []byte, s subscription, payload []byte) []byte
	pdeliver   func(dst []byte, s subscription, channel string, payload []byte) []byte
}

func dialectOf(p product) *dialect {
	if p == nats {
		return &natsDialect
	}
	return &respDialect
}

var respDialect = dialect{
	name: func(name string) string { return name },
	subscribe: func(subs ...subscription) ([]byte, []byte) {
		return respSubscribe("SUBSCRIBE", 0, subs)
	},
	psubscribe: func(held int, subs ...subscription) ([]byte, []byte) {
		return respSubscribe("PSUBSCRIBE", held, subs)
	},
	publish: func(dst []byte, channel string, payload []byte) []byte {
		return appendCommand(dst, "PUBLISH", channel, string(payload))
	},
	answer: func(receivers int) string { return ":" + strconv.Itoa(receivers) + "\r\n" },
	unit:   func(int) int { return 1 },
	deliver: func(dst []byte, s subscription, payload []byte) []byte {
		dst = append(dst, "*3\r\n$7\r\nmessage\r\n"...)
		return appendBulk(appendBulk(dst, s.name), payload)
	},
	pdeliver: func(dst []byte, s subscription, channel string, payload []byte) []byte {
		dst = append(dst, "*4\r\n$8\r\npmessage\r\n"...)
		return appendBulk(appendBulk(appendBulk(dst, s.name), channel), payload)
	},
}

// respSubscribe returns the command and its answer on a connection that holds
// count subscriptions already.
func respSubscribe(verb string, count int, subs []subscription) (request, answer []byte) {
	args := []string{verb}
	for i, s := range subs {
		args = append(args, s.name)
		answer = appendAck(answer, strings.ToLower(verb), s.name, count+i+1)
	}
	return appendCommand(nil, args...), answer
}

// natsPing is the question a NATS server asks soon after the connect. It waits
// minutes for an answer, longer than any run lasts, so it gets none.
const natsPing = "PING\r\n"

// natsDialect: NATS does not answer a publish (its verbose mode would cost it
// more than its users pay), so a PING after each quarter window holds the window.
// Its names are tokens between dots, where ours have colons too.
var natsDialect = dialect{
	name: func(name string) string { return strings.ReplaceAll(name, ":", ".") },
	subscribe: func(subs ...subscription) ([]byte, []byte) {
		return natsSubscribe(0, subs...)
	},
	psubscribe: natsSubscribe,
	publish: func(dst []byte, channel string, payload []byte) []byte {
		return fmt.Appendf(dst, "PUB %s %d\r\n%s\r\n", channel, len(payload), payload)
	},
	unitEnd: "PING\r\n",
	chatter: natsPing,
	answer:  func(int) string { return "PONG\r\n" },
	unit:    func(window int) int { return max(1, window/4) },
	deliver: func(dst []byte, s subscription, payload []byte) []byte {
		return natsDeliver(dst, s, s.name, payload)
	},
	pdeliver: natsDeliver,
}

func natsSubscribe(_ int, subs ...subscription) (request, answer []byte) {
	for _, s := range subs {
		request = fmt.Appendf(request, "SUB %s %d\r\n", s.name, s.sid)
	}
	return append(request, "PING\r\n"...), []byte("PONG\r\n")
}

func natsDeliver(dst []byte, s subscription, channel string, payload []byte) []byte {
	return fmt.Appendf(dst, "MSG %s %d %d\r\n%s\r\n", channel, s.sid, len(payload), payload)
}
