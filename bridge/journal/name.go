package journal

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
)

// alphabet is Crockford's: no letter looks like a digit.
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

const (
	bits      = 5 // of a letter
	idLength  = 6
	runLength = 12
)

// names gives ids that do not come again within a process, and hardly elsewhere.
type names struct{ at, step uint32 }

func newNames() names { return names{at: random(), step: random() | 1} }

// next is the next one: an odd step meets each number once.
func (n *names) next() string {
	n.at += n.step
	return letters(uint64(n.at), idLength)
}

// newRun names this process in the journal.
func newRun() string { return letters(uint64(random())<<32|uint64(random()), runLength) }

func letters(n uint64, length int) string {
	var b strings.Builder
	for range length {
		b.WriteByte(alphabet[n%uint64(len(alphabet))])
		n >>= bits
	}
	return b.String()
}

func random() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.NativeEndian.Uint32(b[:])
}

func isName(s string, length int) bool {
	return len(s) == length && strings.Trim(s, alphabet) == ""
}
