package privatefile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// What Read refuses. Its other errors are those of the file system.
var (
	// ErrUnsafe: a folder or file has another owner, is open to other users, or is
	// no regular file (a symbolic link, a FIFO). The hint says what helps.
	ErrUnsafe = errors.New("the state folder is not private")
	// ErrTooLarge: there is more in it than the limit.
	ErrTooLarge = errors.New("the file is too large")
)

// Read returns the content of a file that nobody else can write or read.
func Read(path string, limit int64) ([]byte, fs.FileInfo, error) {
	if err := CheckFile(path); err != nil { // before open: that would wait on a planted FIFO
		return nil, nil, err
	}
	f, err := Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if err := checkRegular(path, info); err != nil {
		return nil, nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, nil, err
	}
	if int64(len(b)) > limit {
		return nil, nil, fmt.Errorf("%w: it is larger than %d bytes", ErrTooLarge, limit)
	}
	return b, info, nil
}

// CheckFile refuses what another user may have planted or can read. A missing
// file is fine.
func CheckFile(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("checking a file of the store: %w", err)
	}
	return checkRegular(path, info)
}

func checkRegular(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return Unsafe(path, "is not a regular file", "remove it")
	}
	return CheckOwner(path, info)
}

// Unsafe is ErrUnsafe for one path.
func Unsafe(path, why, advice string) error {
	return hint.With(fmt.Errorf("%w: %s %s", ErrUnsafe, path, why), advice)
}
