package main

import (
	"bytes"
	"fmt"
	"io"
	"time"
	"unicode"
	"unicode/utf8"

	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// newLog makes the process' log. It does not sample: what is logged is the
// life of the process and never something per message, so nothing floods it
// and an attack cannot hide a line among others.
func newLog(level, format string, w io.Writer) (*zap.Logger, error) {
	parsed, err := zapcore.ParseLevel(level)
	if err != nil {
		return nil, fmt.Errorf("log-level: %w", err)
	}
	out := zapcore.Lock(zapcore.AddSync(w))
	return zap.New(zapcore.NewCore(newEncoder(format), out, parsed), zap.ErrorOutput(out)), nil
}

// lostLines makes the entry that says how many lines were lost because nobody read
// the log.
func lostLines(format string) func(n int) []byte {
	enc := newEncoder(format)
	return func(n int) []byte {
		line, err := enc.EncodeEntry(zapcore.Entry{Level: zapcore.WarnLevel, Time: time.Now(),
			Message: "lines of the log were lost: nobody read it"}, []zapcore.Field{zap.Int("lines", n)})
		if err != nil {
			return nil
		}
		defer line.Free()
		return bytes.Clone(line.Bytes())
	}
}

func newEncoder(format string) zapcore.Encoder {
	ec := zap.NewProductionEncoderConfig()
	ec.EncodeTime = zapcore.RFC3339TimeEncoder
	ec.EncodeDuration = zapcore.StringDurationEncoder
	if format != "console" {
		return safeEncoder{zapcore.NewJSONEncoder(ec)}
	}
	ec.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
	ec.EncodeLevel = zapcore.CapitalLevelEncoder
	ec.ConsoleSeparator = "  "
	return safeEncoder{zapcore.NewConsoleEncoder(ec)}
}

// safeEncoder makes every entry one line of harmless characters. zap's console
// encoder writes line feeds of a message raw, and both encoders pass characters
// that turn the direction of text: with either of them a peer whose name gets
// into an entry could forge or hide lines. All such characters become \uXXXX,
// which inside a JSON string is the same text.
type safeEncoder struct{ zapcore.Encoder }

// Clone keeps the wrapper around the copies zap makes for child loggers.
func (e safeEncoder) Clone() zapcore.Encoder { return safeEncoder{e.Encoder.Clone()} }

// EncodeEntry writes one entry.
func (e safeEncoder) EncodeEntry(ent zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	ent.Message = escape(ent.Message)
	line, err := e.Encoder.EncodeEntry(ent, fields)
	if err != nil || line.Len() == 0 {
		return line, err
	}
	body := string(line.Bytes()[:line.Len()-1]) // Without the line's own end.
	if safe := escape(body); safe != body {
		line.Reset()
		line.AppendString(safe)
		line.AppendByte('\n')
	}
	return line, nil
}

// escape replaces what is not printable, and bytes that are no UTF-8.
func escape(s string) string {
	for i, r := range s {
		if !harmless(s, i, r) {
			return escapeFrom(s, i)
		}
	}
	return s
}

func harmless(s string, at int, r rune) bool {
	if r == utf8.RuneError {
		_, size := utf8.DecodeRuneInString(s[at:])
		return size > 1
	}
	return unicode.IsPrint(r)
}

func escapeFrom(s string, first int) string {
	out := []byte(s[:first])
	for i, r := range s[first:] {
		switch {
		case harmless(s, first+i, r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return string(out)
}
