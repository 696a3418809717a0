package keychain

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"time"
)

// settleTime is how old a file must be before an unchanged stat proves unchanged
// content: within a clock tick of the file system two replaces can give the same
// time, size and even inode number.
const settleTime = 2 * time.Second

// lookAgain is how long one look at the file serves what comes in a crowd. It is
// far less than the way of a token to the server, which a logout elsewhere cannot
// call back either; and a file that is not settled is looked at each time.
const lookAgain = time.Millisecond

// view is what this process knows of the record. rec, header and raw belong to
// the file on disk; memory and unsaved go before it.
type view struct {
	info    fs.FileInfo // nil: no file
	settled bool
	looked  time.Time // when, with the monotonic clock
	raw     []byte
	header  *Header // nil: no file, or not even its header can be read
	rec     *Record // nil: no file, or it cannot be opened

	keys    map[Kind]*key
	missing string // fingerprint of a key that its holder does not have

	memory  *Record // kind memory: nothing is on disk
	unsaved *Record // newer than the file, which could not be written
}

func (v *view) keep(kind Kind, k *key) {
	if v.keys == nil {
		v.keys = map[Kind]*key{}
	}
	v.keys[kind] = k
}

// forgetFile keeps the keys and what is in memory.
func (v *view) forgetFile() {
	v.info, v.settled, v.raw, v.header, v.rec = nil, false, nil, nil, nil
}

// Load returns the record, nil when nothing is stored. Nothing has changed since
// the last call: a stat and no more, and not even that within a millisecond of
// the last one (OAUTH L1). A logout or a sign-in in another process is seen. The
// errors: ErrUnavailable, ErrDamaged, ErrKeyMissing, ErrNewerVersion, ErrUnsafe,
// ctx's, and those of the file system; none of them means that nothing is stored.
func (s *Store) Load(ctx context.Context) (*Record, error) {
	if err := s.view.acquire(ctx); err != nil {
		return nil, err
	}
	defer s.view.release()
	if s.v.fresh() {
		return s.v.rec, nil
	}
	return s.look(ctx)
}

// fresh reports whether the file was looked at just now, and is what goes before
// all else.
func (v *view) fresh() bool {
	return v.rec != nil && v.settled && v.unsaved == nil && v.memory == nil && time.Since(v.looked) < lookAgain
}

// look returns the current record. It needs the view.
func (s *Store) look(ctx context.Context) (*Record, error) {
	if s.v.unsaved != nil {
		return s.v.unsaved, nil
	}
	if s.o.Kind == KindMemory {
		return s.v.memory, nil
	}
	rec, err := s.lookAtFile(ctx)
	if rec == nil && s.v.memory != nil {
		return s.v.memory, nil
	}
	if rec != nil {
		// Somebody signed in with a store that works: that is the later one.
		s.v.memory = nil
		s.setKind(s.v.header.Kind)
	}
	return rec, err
}

func (s *Store) lookAtFile(ctx context.Context) (*Record, error) {
	s.v.looked = time.Now()
	info, err := os.Lstat(s.path)
	if err == nil && s.v.rec != nil && s.v.settled && sameFile(info, s.v.info) {
		return s.v.rec, nil
	}
	var raw []byte
	if err == nil {
		raw, info, err = readPrivate(s.path, maxFile)
	}
	if errors.Is(err, fs.ErrNotExist) {
		s.v.forgetFile()
		return nil, nil
	}
	same := s.v.rec != nil && bytes.Equal(raw, s.v.raw)
	if !same {
		s.v.forgetFile()
	}
	if err != nil {
		return nil, err
	}
	s.v.info, s.v.raw, s.v.settled = info, raw, s.o.Now().Sub(info.ModTime()) > settleTime
	if same {
		return s.v.rec, nil
	}
	s.v.rec, err = s.unseal(ctx, raw)
	return s.v.rec, err
}

// unseal opens a file of this store's own record.
func (s *Store) unseal(ctx context.Context, raw []byte) (*Record, error) {
	f, h, err := parse(raw)
	if err != nil {
		return nil, err
	}
	// Before the key is asked for: another record's key is another one.
	if h.Profile != s.o.Profile || h.Resource != s.o.Resource {
		return nil, damaged("it belongs to another profile or endpoint")
	}
	s.v.header = h
	k, err := s.keyToOpen(ctx, h.Kind, h.KeyID)
	if err != nil {
		return nil, err
	}
	return f.open(k, h.Public)
}

func sameFile(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// dropKey forgets a key that was removed from its holder.
func (v *view) dropKey(kind Kind) {
	delete(v.keys, kind)
}
