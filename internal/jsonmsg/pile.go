package jsonmsg

import "runtime/debug"

// blockSize is how much a Pile stores in one piece until all of it is there.
const blockSize = 1 << 20

// Pile gathers a message whose length nobody knows beforehand. A slice that
// grows by append holds two and more copies of a long message at its peak, and
// most of them are garbage; a Pile holds one, and one more when Bytes joins it.
// The zero value is empty.
type Pile struct {
	head []byte   // the first block; the whole message once it is joined
	more [][]byte // the blocks after it
	size int
}

// Add puts a copy of part at the end.
func (p *Pile) Add(part []byte) {
	p.size += len(part)
	if len(p.more) == 0 {
		n := min(len(part), max(blockSize-len(p.head), 0))
		p.head, part = append(p.head, part[:n]...), part[n:]
	}
	for len(part) > 0 {
		if p.full() {
			p.more = append(p.more, make([]byte, 0, blockSize))
		}
		last := &p.more[len(p.more)-1]
		n := min(len(part), blockSize-len(*last))
		*last, part = append(*last, part[:n]...), part[n:]
	}
}

// full reports whether the last of the further blocks has no room.
func (p *Pile) full() bool {
	return len(p.more) == 0 || len(p.more[len(p.more)-1]) == blockSize
}

// Len returns how many bytes there are.
func (p *Pile) Len() int { return p.size }

// Each hands over all, block by block.
func (p *Pile) Each(block func([]byte)) {
	block(p.head)
	for _, b := range p.more {
		block(b)
	}
}

// Bytes returns all in one piece. It is the caller's if Reset does not follow.
func (p *Pile) Bytes() []byte {
	if len(p.more) == 0 {
		return p.head
	}
	whole := append(make([]byte, 0, p.size), p.head...)
	for _, block := range p.more {
		whole = append(whole, block...)
	}
	p.head, p.more = whole, nil
	return whole
}

// Reset empties the pile and keeps a small block for what comes next.
func (p *Pile) Reset() {
	if cap(p.head) > blockSize {
		p.head = nil
	}
	p.head, p.more, p.size = p.head[:0], nil, 0
}

// Drop empties a pile that came to too much, and gives the memory back at once:
// the next such message would otherwise pile up beside the garbage of this one
// (RELAY B10).
func (p *Pile) Drop() {
	*p = Pile{}
	debug.FreeOSMemory()
}
