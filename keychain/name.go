package keychain

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

const (
	namePrefix   = "credential-"
	sealedSuffix = ".json"
	lockSuffix   = ".lock"
	keySuffix    = ".key"
	asideSuffix  = ".aside"
	loginSuffix  = ".login"
)

// fileName returns the name, without suffix, of the files of one record. The
// hash is over length-prefixed parts, so that ("a", "bc") and ("ab", "c") differ
// (OAUTH D2, STYLE D1). It must never change: stored logins would be lost.
func fileName(profile, resource string) string {
	h := sha256.New()
	h.Write([]byte("payu-mcp/credential/1"))
	for _, part := range []string{profile, resource} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return namePrefix + hex.EncodeToString(h.Sum(nil)[:16])
}

// beside returns the path of another file of the same record.
func beside(sealedPath, suffix string) string {
	return strings.TrimSuffix(sealedPath, sealedSuffix) + suffix
}
