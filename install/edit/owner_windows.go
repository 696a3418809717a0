package edit

import (
	"io/fs"
	"os"
)

// sameOwner has nothing to do: the owner is who writes in the person's own folder,
// and rights are inherited from it.
func sameOwner(*os.File, fs.FileInfo, fs.FileMode) error { return nil }
