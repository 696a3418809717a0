package keychain

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/redact"
)

// service is the name of our items in the OS keychain.
const service = "payu-mcp"

const keySize = 32 // AES-256

var (
	errNoKey  = errors.New("no such key")
	errBadKey = errors.New("what is stored is not a key of payu-mcp")
)

// key opens and seals. id is its fingerprint, so that a wrong key is told from a
// damaged file.
type key struct {
	id   string
	aead cipher.AEAD
}

func newKeyText() redact.Secret {
	var raw [keySize]byte
	_, _ = rand.Read(raw[:]) // never fails, by its documentation
	return redact.Secret(base64.StdEncoding.EncodeToString(raw[:]))
}

func parseKey(text redact.Secret) (*key, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text.Reveal()))
	if err != nil || len(raw) != keySize {
		return nil, errBadKey // the decoder's text would quote the key
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return nil, fmt.Errorf("making the cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("making the cipher: %w", err)
	}
	sum := sha256.Sum256(append([]byte("payu-mcp/key-id/1"), raw...))
	return &key{id: hex.EncodeToString(sum[:8]), aead: aead}, nil
}

// account names the item in the OS keychain. The state folder is part of it: a
// logout in one folder must not take the key from another one's login.
func (s *Store) account() string {
	folder, err := filepath.Abs(s.o.Dir)
	if err != nil {
		folder = s.o.Dir
	}
	sum := sha256.Sum256([]byte("payu-mcp/folder/1" + folder))
	return strings.TrimSuffix(filepath.Base(s.path), sealedSuffix) + "-" + hex.EncodeToString(sum[:4])
}

// fetchKey asks the holder: errNoKey when it surely has none, ErrUnavailable when
// it cannot say.
func (s *Store) fetchKey(ctx context.Context, kind Kind) (*key, error) {
	if kind == KindFile {
		b, _, err := readPrivate(beside(s.path, keySuffix), keySize*4)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, errNoKey
		}
		if err != nil {
			return nil, fmt.Errorf("reading the key file: %w", err)
		}
		return parseKey(redact.Secret(b))
	}
	text, err := s.ring.get(ctx, s.account())
	if err != nil {
		return nil, err
	}
	return parseKey(text)
}

// createKey makes a key where there surely is none. Only under the OS lock: two
// processes would overwrite each other's.
func (s *Store) createKey(ctx context.Context, kind Kind) (*key, error) {
	text := newKeyText()
	var err error
	if kind == KindFile {
		err = s.o.WriteFile(beside(s.path, keySuffix), []byte(text.Reveal()+"\n"), privateFile)
	} else {
		err = s.ring.set(ctx, s.account(), text)
	}
	if err != nil {
		return nil, fmt.Errorf("storing a new key: %w", err)
	}
	return parseKey(text)
}

// keyToOpen returns the key with the fingerprint id. A key is asked for once per
// process and then kept (OAUTH section 6, rule e); so is the news that it is not
// there.
func (s *Store) keyToOpen(ctx context.Context, kind Kind, id string) (*key, error) {
	if k := s.v.keys[kind]; k != nil && k.id == id {
		return k, nil
	}
	if s.v.missing == id {
		return nil, keyMissing("asked before")
	}
	k, err := s.fetchKey(ctx, kind)
	var why string
	switch {
	case errors.Is(err, errNoKey):
		why = "it is not in the " + holder(kind)
	case errors.Is(err, errBadKey):
		why = "the " + holder(kind) + " has something else in its place"
	case err != nil:
		return nil, err
	case k.id != id:
		why = "the " + holder(kind) + " has another key"
	default:
		s.v.keep(kind, k)
		return k, nil
	}
	s.v.missing = id
	return nil, keyMissing(why)
}

// keyToSeal returns a key for a file of kind, a new one only when there surely is
// none. Only under the OS lock.
func (s *Store) keyToSeal(ctx context.Context, kind Kind) (*key, error) {
	if h := s.v.header; s.v.rec != nil && h.Kind == kind && s.v.keys[kind] != nil && s.v.keys[kind].id == h.KeyID {
		// The file on disk proves that this key is the holder's. A rotated token
		// must be saved even when the keychain has locked itself meanwhile.
		return s.v.keys[kind], nil
	}
	// Nothing proves that a key we remember is still the holder's: a logout
	// elsewhere may have removed it.
	k, err := s.fetchKey(ctx, kind)
	switch {
	case errors.Is(err, errNoKey):
		k, err = s.createKey(ctx, kind)
	case errors.Is(err, errBadKey):
		return nil, hint.With(fmt.Errorf("the %s: %w", holder(kind), err), "remove it with payu-mcp logout, then sign in again")
	case err != nil && s.v.keys[kind] != nil:
		// Prepare had it a moment ago; the keychain was locked while the person
		// was signing in.
		return s.v.keys[kind], nil
	}
	if err != nil {
		return nil, err
	}
	s.v.keep(kind, k)
	return k, nil
}

func holder(kind Kind) string {
	if kind == KindFile {
		return "key file"
	}
	return "system keychain"
}
