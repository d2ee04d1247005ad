package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"

	eclickhouse "github.com/feigeio/feige/internal/embedded/clickhouse"
	"github.com/feigeio/feige/internal/embedded/clickhouse/chdb"
)

const (
	gib = 1 << 30
	// diskDoubt and diskTrouble are free bytes where the data is.
	diskDoubt, diskTrouble = 5 * gib, gib
)

func (d *doctor) checkPolicy() {
	set, err := d.settings.policySet()
	if err != nil {
		d.tell(trouble, "policy", err.Error(), "feige policy check")
		return
	}
	where := d.settings.Policy
	if where == "" {
		where = "the built-in one"
	}
	d.tell(fine, "policy", fmt.Sprintf("%s, versions: %d, newest %s", where, len(set.Versions()), set.Versions()[len(set.Versions())-1].Version), "")
}

func (d *doctor) checkLibrary() {
	path, err := eclickhouse.Locate(d.settings.Embedded.ClickHouse.Library)
	switch {
	case errors.Is(err, eclickhouse.ErrNoLibrary):
		d.tell(doubt, "libchdb", "is not there; only feige up and feige run need it", "feige setup")
		return
	case err != nil:
		d.tell(trouble, "libchdb", err.Error(), "correct the path")
		return
	}
	if _, err := chdb.Load(path); err != nil {
		d.tell(trouble, "libchdb", err.Error(), "remove it and run: feige setup")
		return
	}
	d.tell(fine, "libchdb", path+" loads", "")
}

func (d *doctor) checkDataDir() {
	dir := d.settings.DataDir
	path := filepath.Join(dir, "feige.lock")
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		d.tell(fine, "data directory", dir+" will be made", "")
		return
	}
	probe, err := os.CreateTemp(dir, "doctor-*")
	if err != nil {
		d.tell(trouble, "data directory", fmt.Sprintf("%s cannot be written: %v", dir, plainCause(err)), "correct its rights, or set another data_dir")
		return
	}
	_ = probe.Close()           // an empty file
	_ = os.Remove(probe.Name()) // it was just made
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		d.tell(fine, "data directory", dir+" can be written, nobody uses it", "")
		return
	}
	lock := flock.New(path)
	ok, err := lock.TryRLock()
	switch {
	case err != nil:
		d.tell(trouble, "data directory", fmt.Sprintf("%s cannot be locked: %v", dir, plainCause(err)), "set another data_dir")
	case !ok:
		d.running = lockOwner(path)
		d.tell(fine, "data directory", fmt.Sprintf("%s is in use by %s", dir, d.running), "")
	default:
		_ = lock.Unlock() // only looked
		d.tell(fine, "data directory", dir+" can be written, nobody uses it", "")
	}
}

func (d *doctor) checkDisk() {
	dir := d.settings.DataDir
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		d.tell(doubt, "disk", fmt.Sprintf("the space of %s is not known: %v", dir, err), "")
		return
	}
	free := stat.Bavail * uint64(stat.Bsize)
	seen := fmt.Sprintf("%.1f GiB free where %s is", float64(free)/gib, d.settings.DataDir)
	switch {
	case free < diskTrouble:
		d.tell(trouble, "disk", seen, "make room, or set another data_dir")
	case free < diskDoubt:
		d.tell(doubt, "disk", seen, "make room soon")
	default:
		d.tell(fine, "disk", seen, "")
	}
}

// checkPorts looks at the addresses that embedded mode listens on.
func (d *doctor) checkPorts(ctx context.Context) {
	for _, port := range []struct {
		key, addr string
		ours      bool
	}{
		{"embedded.kafka.addr", d.settings.Embedded.Kafka.Addr, d.settings.Embedded.has(engineKafka)},
		{"embedded.clickhouse.addr", d.settings.Embedded.ClickHouse.Addr, d.settings.Embedded.has(engineClickHouse)},
		{"http.addr", d.settings.HTTP.Addr, d.settings.HTTP.Addr != ""},
	} {
		if !port.ours {
			continue
		}
		err := portFree(port.key, port.addr)
		switch {
		case err == nil && d.running == "":
			d.tell(fine, port.key, port.addr+" is free", "")
		case err == nil:
			d.tell(doubt, port.key, fmt.Sprintf("nothing answers on %s though %s holds the data directory", port.addr, d.running), "was it started with another configuration?")
		case codeOf(err) != codeInUse:
			d.tell(trouble, port.key, err.Error(), "correct the address")
		case !answers(ctx, port.addr):
			d.tell(trouble, port.key, port.addr+" is taken by something that does not answer", "stop it, or set another address")
		case d.running == "":
			d.tell(doubt, port.key, port.addr+" is taken by something else", "stop it before feige up, or set another address")
		default:
			d.tell(fine, port.key, port.addr+" answers", "")
		}
	}
}

func answers(ctx context.Context, addr string) bool {
	dialer := net.Dialer{Timeout: 2 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	_ = conn.Close() // nothing was said
	return true
}
