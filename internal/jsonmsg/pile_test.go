package jsonmsg_test

import (
	"bytes"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

func TestPile_partsOfAnySize_comeBackInOrder(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	source := make([]byte, 5*mib+3)
	for i := range source {
		source[i] = byte(i * 7 >> 3)
	}
	for _, part := range []int{1 << 10, 64<<10 - 1, mib, mib + 1, 5 * mib} {
		for _, size := range []int{0, 1, mib - 1, mib, mib + 1, 2 * mib, len(source)} {
			var p jsonmsg.Pile
			for rest := source[:size]; len(rest) > 0; rest = rest[min(part, len(rest)):] {
				p.Add(rest[:min(part, len(rest))])
			}
			if p.Len() != size || !bytes.Equal(p.Bytes(), source[:size]) || !bytes.Equal(p.Bytes(), source[:size]) {
				t.Errorf("%d bytes in parts of %d came back as %d", size, part, p.Len())
			}
			p.Add([]byte("end")) // also after it was joined
			if p.Len() != size+3 || !bytes.HasSuffix(p.Bytes(), []byte("end")) || !bytes.HasPrefix(p.Bytes(), source[:size]) {
				t.Errorf("%d bytes in parts of %d: the addition is lost", size, part)
			}
		}
	}
}

func TestPile_resetOrDropped_isEmptyAndUsable(t *testing.T) {
	t.Parallel()
	var p jsonmsg.Pile
	for _, empty := range []func(){p.Reset, p.Drop, p.Reset} {
		p.Add(make([]byte, 3<<20))
		_ = p.Bytes()
		empty()
		if p.Len() != 0 || len(p.Bytes()) != 0 {
			t.Errorf("%d bytes are left", p.Len())
		}
		p.Add([]byte("x"))
		if string(p.Bytes()) != "x" {
			t.Errorf("%q", p.Bytes())
		}
		p.Reset()
	}
}
