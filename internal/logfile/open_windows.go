package logfile

import (
	"os"

	"golang.org/x/sys/windows"
)

const noFollow = 0

// openAppend may append and do nothing else: then each writing goes to the end of the
// file in one step, wherever others have moved that to. With the right to write data,
// too, it would go to an offset.
func openAppend(path string) (*os.File, error) {
	return openShared(path, windows.FILE_APPEND_DATA|windows.FILE_READ_ATTRIBUTES|windows.SYNCHRONIZE, windows.OPEN_ALWAYS)
}

func openRead(path string) (*os.File, error) {
	return openShared(path, windows.GENERIC_READ, windows.OPEN_EXISTING)
}

// openShared lets other processes rename the file while it is open here, which
// os.OpenFile does not. A link that somebody put there is opened itself.
func openShared(path string, access, disposition uint32) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	h, err := windows.CreateFile(name, access, share, nil, disposition, windows.FILE_ATTRIBUTE_NORMAL|windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}
