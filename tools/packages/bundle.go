package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"time"
)

// entry is one file of the bundle.
type entry struct {
	path string
	data []byte
	mode os.FileMode
}

// writeBundle writes the bundle and returns its SHA-256 in hexadecimal.
func (r release) writeBundle(path string) (sum string, err error) {
	files, err := r.bundle()
	if err != nil {
		return "", err
	}
	data, err := zipped(files)
	if err != nil {
		return "", err
	}
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:]), write(path, data, 0o644)
}

// bundle lists the files of the bundle (the format: MANIFEST.md of
// modelcontextprotocol/mcpb). Its platforms are operating systems only: there is
// no place for a second kind of processor but on a Mac.
func (r release) bundle() ([]entry, error) {
	manifest, err := r.manifest()
	if err != nil {
		return nil, err
	}
	picture, err := icon()
	if err != nil {
		return nil, err
	}
	mac, err := r.programs.mac()
	if err != nil {
		return nil, err
	}
	linux, err := os.ReadFile(r.programs.of[target{"linux", "amd64"}])
	if err != nil {
		return nil, err
	}
	windows, err := os.ReadFile(r.programs.of[target{"windows", "amd64"}])
	if err != nil {
		return nil, err
	}
	files := []entry{{"manifest.json", manifest, 0o644}, {iconFile, picture, 0o644}}
	for _, l := range r.licences {
		files = append(files, entry{l.name, l.data, 0o644})
	}
	return append(files, entry{macFile, mac, 0o755}, entry{linuxFile, linux, 0o755}, entry{windowsFile, windows, 0o755}), nil
}

// zipped is a zip file without the time and the computer it was made at.
func zipped(files []entry) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		// The time is the first that a zip file can tell.
		h := &zip.FileHeader{Name: f.path, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
		h.SetMode(f.mode)
		w, err := z.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return b.Bytes(), err
}
