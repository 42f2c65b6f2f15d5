package main

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A socket that is made and given its permissions afterwards shows as a change of
// attributes, and can be connected to in between.
func TestTheUnixSocketHasItsPermissionsFromTheFirstMoment(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		flags []string
		want  os.FileMode
	}{
		"by default the own user's only": {nil, 0o600},
		"for the group":                  {[]string{"--resp-unix-mode=660"}, 0o660},
		"for all":                        {[]string{"--resp-unix-mode=0666"}, 0o666},
	} {
		for _, umask := range []string{"000", "077"} {
			dir, err := os.MkdirTemp("", "unix") // t.TempDir's path may be too long for a socket.
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(dir) })
			watch, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = unix.Close(watch) }()
			if _, err := unix.InotifyAddWatch(watch, dir, unix.IN_CREATE|unix.IN_ATTRIB|unix.IN_MOVED_TO); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "s")
			command := []string{"/bin/sh", "-c", "umask " + umask + `; exec "$0" "$@"`, binary}
			p := startBy(t, command, append([]string{"--resp-unix", path}, c.flags...)...)
			if got := events(t, watch); len(got) != 1 || got[0] != unix.IN_CREATE {
				t.Errorf("%s, umask %s: got the events %x, want the creation of the socket and nothing else", name, umask, got)
			}
			info, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Mode().Perm(); got != c.want || info.Mode()&os.ModeSocket == 0 {
				t.Errorf("%s, umask %s: got mode %v, want a socket with %v", name, umask, info.Mode(), c.want)
			}
			conn, err := net.Dial("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			peer := newPeer(t, conn)
			peer.send("PING\r\n")
			peer.expect("+PONG")
			if err := p.cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
			<-p.ended
		}
	}
}

// events are the masks of what a watch has seen.
func events(t *testing.T, watch int) (masks []uint32) {
	t.Helper()
	buf := make([]byte, 4096)
	n, err := unix.Read(watch, buf)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < n; {
		e := (*unix.InotifyEvent)(unsafe.Pointer(&buf[at]))
		masks = append(masks, e.Mask)
		at += unix.SizeofInotifyEvent + int(e.Len)
	}
	return masks
}
