package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanfare/kv"
)

// value is one setting's place in a Config. Set reads the text of a flag or an
// environment variable; fromTOML reads what the TOML library parsed and is
// strict about types: a number is not a text. String writes what Set reads.
type value interface {
	Set(text string) error
	String() string
	fromTOML(v any) error
}

// textOf is fromTOML for settings that the file writes as a string.
func textOf(v any, set func(string) error) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("must be a text in quotes, not %s", typeName(v))
	}
	return set(text)
}

func typeName(v any) string {
	switch v.(type) {
	case string:
		return "a text"
	case int64:
		return "a number"
	case float64:
		return "a fraction"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	case []map[string]any:
		return "a list of tables"
	default:
		return "a date"
	}
}

type textValue struct{ p *string }

func (v textValue) Set(text string) error { *v.p = text; return nil }
func (v textValue) String() string        { return *v.p }
func (v textValue) fromTOML(t any) error  { return textOf(t, v.Set) }

// choiceValue is a text out of a short list.
type choiceValue[T ~string] struct {
	p       *T
	choices []string
}

func (v choiceValue[T]) Set(text string) error {
	if slices.Contains(v.choices, text) {
		*v.p = T(text)
		return nil
	}
	return fmt.Errorf("%q is not one of %s", shorten(text), strings.Join(v.choices, ", "))
}
func (v choiceValue[T]) String() string       { return string(*v.p) }
func (v choiceValue[T]) fromTOML(t any) error { return textOf(t, v.Set) }

// namedValue is one of a few constants that have names.
type namedValue[T interface {
	~uint8
	fmt.Stringer
}] struct {
	p       *T
	choices []T
}

func (v namedValue[T]) Set(text string) error {
	names := make([]string, len(v.choices))
	for i, c := range v.choices {
		if names[i] = c.String(); names[i] == text {
			*v.p = c
			return nil
		}
	}
	return fmt.Errorf("%q is not one of %s", shorten(text), strings.Join(names, ", "))
}
func (v namedValue[T]) String() string       { return (*v.p).String() }
func (v namedValue[T]) fromTOML(t any) error { return textOf(t, v.Set) }

// eventsValue is a set of classes of key-space events, as letters.
type eventsValue struct{ p *kv.EventClass }

func (v eventsValue) Set(text string) error {
	classes, err := kv.ParseEvents(text)
	if err != nil {
		return fmt.Errorf("%q has a letter that is none of Ag$lshzxeKEtmdn", shorten(text))
	}
	*v.p = classes
	return nil
}
func (v eventsValue) String() string       { return v.p.String() }
func (v eventsValue) fromTOML(t any) error { return textOf(t, v.Set) }

// listValue is a list of texts: separated by commas in a flag, an array in the
// file. Setting it replaces the list.
type listValue struct{ p *[]string }

func (v listValue) Set(text string) error {
	list := []string{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	*v.p = list
	return nil
}
func (v listValue) String() string { return strings.Join(*v.p, ",") }
func (v listValue) fromTOML(t any) error {
	array, ok := t.([]any)
	if !ok {
		return fmt.Errorf("must be a list of texts, not %s", typeName(t))
	}
	list := make([]string, len(array))
	for i, e := range array {
		text, ok := e.(string)
		if !ok {
			return fmt.Errorf("must be a list of texts, but holds %s", typeName(e))
		}
		list[i] = text
	}
	*v.p = list
	return nil
}

// modeValue is a file's permissions, octal. It is a text in the file too, because a
// number there would be read as a decimal one.
type modeValue struct{ p *fs.FileMode }

func (v modeValue) Set(text string) error {
	n, err := strconv.ParseUint(text, 8, 32)
	if err != nil || n > 0o777 || n&0o600 != 0o600 {
		return fmt.Errorf(`%q is not a mode such as "600" or "660", with which the broker's own user may read and write`, shorten(text))
	}
	*v.p = fs.FileMode(n)
	return nil
}
func (v modeValue) String() string       { return fmt.Sprintf("%03o", *v.p) }
func (v modeValue) fromTOML(t any) error { return textOf(t, v.Set) }

type boolValue struct{ p *bool }

// IsBoolFlag lets package flag accept --name without a value.
func (v boolValue) IsBoolFlag() bool { return true }
func (v boolValue) String() string   { return strconv.FormatBool(*v.p) }
func (v boolValue) Set(text string) error {
	switch text {
	case "true", "yes", "on", "1":
		*v.p = true
	case "false", "no", "off", "0":
		*v.p = false
	default:
		return fmt.Errorf("%q is not true or false", shorten(text))
	}
	return nil
}
func (v boolValue) fromTOML(t any) error {
	b, ok := t.(bool)
	if !ok {
		return fmt.Errorf("must be true or false, not %s", typeName(t))
	}
	*v.p = b
	return nil
}

// whole is what a count or a size may be stored in.
type whole interface{ ~int | ~int64 }

// countValue is a whole number between two bounds.
type countValue[T whole] struct {
	p           *T
	least, most int64
}

func (v countValue[T]) String() string { return strconv.FormatInt(int64(*v.p), 10) }
func (v countValue[T]) Set(text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is not a whole number", shorten(text))
	}
	return v.store(n)
}
func (v countValue[T]) fromTOML(t any) error {
	n, ok := t.(int64)
	if !ok {
		return fmt.Errorf("must be a whole number, not %s", typeName(t))
	}
	return v.store(n)
}
func (v countValue[T]) store(n int64) error {
	if n < v.least || n > v.most {
		return fmt.Errorf("%d is not between %d and %d", n, v.least, v.most)
	}
	*v.p = T(n)
	return nil
}

// sizeValue is a number of bytes, "64kb" or plain; in the file a string or a
// whole number.
type sizeValue[T whole] struct {
	p           *T
	least, most int64
}

func (v sizeValue[T]) String() string { return formatSize(int64(*v.p)) }
func (v sizeValue[T]) Set(text string) error {
	n, err := parseSize(text)
	if err != nil {
		return err
	}
	return v.store(n)
}
func (v sizeValue[T]) fromTOML(t any) error {
	if n, ok := t.(int64); ok {
		return v.store(n)
	}
	text, ok := t.(string)
	if !ok {
		return fmt.Errorf("must be a size such as %q, not %s", "64kb", typeName(t))
	}
	return v.Set(text)
}
func (v sizeValue[T]) store(n int64) error {
	if n < v.least || n > v.most {
		return fmt.Errorf("%s is not between %s and %s", formatSize(n), formatSize(v.least), formatSize(v.most))
	}
	*v.p = T(n)
	return nil
}

// sizeUnits are binary, and both spellings mean the same: Redis' "1k" of 1,000
// bytes has surprised more people than it has served.
var sizeUnits = []struct {
	suffix string
	shift  uint
}{{"kb", 10}, {"mb", 20}, {"gb", 30}, {"k", 10}, {"m", 20}, {"g", 30}, {"b", 0}}

var errSize = errors.New(`is not a size such as "64kb", "1mb", "2gb" or a number of bytes`)

// parseSize reads a size; the units are powers of 1,024 and of either case.
func parseSize(text string) (int64, error) {
	digits, shift := strings.ToLower(strings.TrimSpace(text)), uint(0)
	for _, u := range sizeUnits {
		if rest, found := strings.CutSuffix(digits, u.suffix); found {
			digits, shift = strings.TrimSpace(rest), u.shift
			break
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("%q %w", shorten(text), errSize)
	}
	return int64(n << shift), nil
}

// formatSize writes n in the largest unit that divides it.
func formatSize(n int64) string {
	for _, u := range []struct {
		suffix string
		shift  uint
	}{{"gb", 30}, {"mb", 20}, {"kb", 10}} {
		if n != 0 && n&(1<<u.shift-1) == 0 {
			return strconv.FormatInt(n>>u.shift, 10) + u.suffix
		}
	}
	return strconv.FormatInt(n, 10)
}

// durationValue is a time in Go's notation, such as "4s" or "1m30s".
type durationValue struct {
	p           *time.Duration
	least, most time.Duration
}

func (v durationValue) String() string { return formatDuration(*v.p) }
func (v durationValue) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf(`%q is not a duration such as "500ms", "4s" or "10m"`, shorten(text))
	}
	if d < v.least || d > v.most {
		return fmt.Errorf("%s is not between %s and %s", formatDuration(d), formatDuration(v.least), formatDuration(v.most))
	}
	*v.p = d
	return nil
}
func (v durationValue) fromTOML(t any) error { return textOf(t, v.Set) }

// formatDuration is time.Duration's text without its trailing zero units:
// "1m" instead of "1m0s".
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
