package topic

import "math/rand/v2"

// alphabets are those that found differences between globs: few letters so that
// things repeat, all special bytes, and bytes beyond ASCII.
var alphabets = []string{
	"ab*",
	"ab*?",
	"abc*?[]^-\\",
	"a-]\\[^z\x00\x7f\x80\xff",
	"ab[]^-\\*?\x00\x80\xff!é",
	"user:0123.*?[-]",
}

func randomText(r *rand.Rand, alphabet string, most int) string {
	b := make([]byte, r.IntN(most+1))
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

// likelyName makes a name that has a good chance to match the pattern: literals
// stay, stars and '?' become some bytes, a class becomes one of the bytes in it.
func likelyName(r *rand.Rand, pattern, alphabet string) string {
	var name []byte
	for i := 0; i < len(pattern); i++ {
		switch b := pattern[i]; {
		case b == '*':
			name = append(name, randomText(r, alphabet, 3)...)
		case b == '?':
			name = append(name, alphabet[r.IntN(len(alphabet))])
		case b == '[':
			first := i + 1
			for i+1 < len(pattern) && pattern[i] != ']' {
				i++
			}
			if inside := pattern[min(first, i):i]; inside != "" {
				name = append(name, inside[r.IntN(len(inside))])
			}
		case b == '\\' && i+1 < len(pattern):
			i++
			name = append(name, pattern[i])
		default:
			name = append(name, b)
		}
	}
	if len(name) > 0 && r.IntN(3) == 0 {
		name[r.IntN(len(name))] = alphabet[r.IntN(len(alphabet))]
	}
	return string(name)
}

func newRand(seed uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // G404: tests want the same numbers each time
}
