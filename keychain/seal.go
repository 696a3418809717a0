package keychain

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

const (
	// fileVersion grows when an older payu-mcp could not read what a newer one
	// writes.
	fileVersion = 1
	// maxFile bounds what is read: six base64 tokens of 64 KB (OAUTH B7) are far
	// below it.
	maxFile = 8 << 20
	// nonceSize is GCM's. Random nonces are safe up to 2^32 writes with one key
	// (OAUTH D7).
	nonceSize = 12
)

// sealedFile is the JSON object on disk (OAUTH D3). Header is kept as bytes: they
// are the additional authenticated data, so a file cannot be edited nor moved to
// another profile (OAUTH D4).
type sealedFile struct {
	Header json.RawMessage `json:"header"`
	Nonce  []byte          `json:"nonce"`
	CT     []byte          `json:"ct"`
}

// parse reads the clear part of a sealed file. Nothing in it is authenticated
// yet. The version is judged first: a newer file may have another shape.
func parse(raw []byte) (*sealedFile, *Header, error) {
	var outer struct {
		Header json.RawMessage `json:"header"`
	}
	var version struct {
		Version int `json:"version"`
	}
	if json.Unmarshal(raw, &outer) != nil || json.Unmarshal(outer.Header, &version) != nil || version.Version < 1 {
		return nil, nil, damaged("it is not a sealed file, or only a part of one")
	}
	if version.Version > fileVersion {
		return nil, nil, newerVersion(version.Version)
	}
	var f sealedFile
	var h Header
	if json.Unmarshal(raw, &f) != nil || json.Unmarshal(f.Header, &h) != nil {
		return nil, nil, damaged("a field has a wrong form")
	}
	if len(f.Nonce) != nonceSize || (h.Kind != KindKeychain && h.Kind != KindFile) {
		return nil, nil, damaged("a field has a wrong value")
	}
	return &f, &h, nil
}

// open authenticates the whole file and returns its record.
func (f *sealedFile) open(k *key, public json.RawMessage) (*Record, error) {
	secret, err := k.aead.Open(nil, f.Nonce, f.CT, f.Header)
	if err != nil {
		return nil, damaged("it was changed after it was written")
	}
	return &Record{Public: public, Secret: secret}, nil
}

// seal returns the bytes of a sealed file.
func seal(k *key, h Header, secret []byte) ([]byte, error) {
	header, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("encoding the header: %w", err)
	}
	nonce := make([]byte, nonceSize)
	_, _ = rand.Read(nonce) // never fails, by its documentation
	ct := k.aead.Seal(nil, nonce, secret, header)
	if base64.StdEncoding.EncodedLen(len(ct))+len(header) > maxFile-1024 {
		return nil, fmt.Errorf("the record is too large: %d bytes", len(secret)+len(h.Public))
	}
	// Not json.Marshal of the whole: that may re-encode the header's bytes.
	var b bytes.Buffer
	b.WriteString(`{"header":`)
	b.Write(header)
	b.WriteString(`,"nonce":"` + base64.StdEncoding.EncodeToString(nonce))
	b.WriteString(`","ct":"` + base64.StdEncoding.EncodeToString(ct) + "\"}\n")
	return b.Bytes(), nil
}
