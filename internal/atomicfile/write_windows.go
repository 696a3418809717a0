package atomicfile

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

const noFollow = 0 // a new file with O_EXCL follows nothing

// replace renames with MoveFileEx. A reader or a virus scanner that has path
// open just now makes that fail for some milliseconds, so it is tried again for
// about half a second.
func replace(temp, path string) error {
	const tries, pause = 50, 10 * time.Millisecond
	var err error
	for range tries {
		err = os.Rename(temp, path)
		if !errors.Is(err, windows.ERROR_SHARING_VIOLATION) && !errors.Is(err, windows.ERROR_ACCESS_DENIED) {
			break
		}
		time.Sleep(pause)
	}
	if l, ok := errors.AsType[*os.LinkError](err); ok {
		return l.Err
	}
	return err
}

// SyncFolder does nothing: Windows keeps the names by itself.
func SyncFolder(string) error { return nil }
