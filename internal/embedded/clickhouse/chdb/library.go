package chdb

import (
	"fmt"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

type pointer = unsafe.Pointer

// Library is a loaded libchdb.
type Library struct {
	mu      sync.Mutex
	running bool

	version     func() string
	signals     func(enabled int32)
	connect     func(argc int32, argv pointer) pointer
	closeConn   func(conn pointer)
	query       func(conn, query pointer, queryLen uintptr, format pointer, formatLen uintptr, names, nameLens, values, valueLens pointer, count uintptr) pointer
	streamQuery func(conn, query pointer, queryLen uintptr, format pointer, formatLen uintptr, names, nameLens, values, valueLens pointer, count uintptr) pointer
	fetch       func(conn, stream pointer) pointer
	cancel      func(conn, stream pointer)
	destroy     func(result pointer)

	insert        func(conn, query pointer, queryLen uintptr, format pointer, formatLen uintptr, names, nameLens, values, valueLens pointer, count uintptr) pointer
	insertAppend  func(insert, data pointer, n uintptr) int32
	insertDone    func(insert pointer) pointer
	insertCancel  func(insert pointer)
	insertError   func(insert pointer) string
	insertDestroy func(insert pointer)

	buffer       func(result pointer) pointer
	length       func(result pointer) uintptr
	rows         func(result pointer) uint64
	storageRows  func(result pointer) uint64
	storageBytes func(result pointer) uint64
	writtenRows  func(result pointer) uint64
	writtenBytes func(result pointer) uint64
	resultError  func(result pointer) string

	classify func(conn, query pointer, queryLen uintptr, database pointer, databaseLen uintptr, out pointer) int32
}

// loaded is what the dynamic loader holds anyway: one library per process, whose state cannot be unloaded.
var loaded struct {
	sync.Mutex
	path string
	lib  *Library
}

// Load opens the library at path, once per process; a second path is refused. The engine's own signal
// handlers are off from here on: with them a nil dereference in Go code would hang instead of panicking.
func Load(path string) (*Library, error) {
	loaded.Lock()
	defer loaded.Unlock()
	if loaded.lib != nil {
		if loaded.path != path {
			return nil, fmt.Errorf("libchdb is already loaded from %s; one process cannot load a second one from %s", loaded.path, path)
		}
		return loaded.lib, nil
	}
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("load libchdb from %s: %w", path, err)
	}
	lib := &Library{}
	var missing []error
	bind := func(fn any, symbol string) {
		address, err := purego.Dlsym(handle, symbol)
		if err != nil {
			missing = append(missing, fmt.Errorf("libchdb at %s has no function %s: it is not the version this program was built for (%s)", path, symbol, Version))
			return
		}
		purego.RegisterFunc(fn, address)
	}
	bind(&lib.version, "chdb_version")
	bind(&lib.signals, "chdb_set_signal_handlers_enabled")
	bind(&lib.connect, "chdb_connect")
	bind(&lib.closeConn, "chdb_close_conn")
	bind(&lib.query, "chdb_query_with_params_n")
	bind(&lib.streamQuery, "chdb_stream_query_with_params_n")
	bind(&lib.fetch, "chdb_stream_fetch_result")
	bind(&lib.cancel, "chdb_stream_cancel_query")
	bind(&lib.destroy, "chdb_destroy_query_result")
	bind(&lib.insert, "chdb_stream_insert_with_params_n")
	bind(&lib.insertAppend, "chdb_stream_append")
	bind(&lib.insertDone, "chdb_stream_done")
	bind(&lib.insertCancel, "chdb_stream_cancel_insert")
	bind(&lib.insertError, "chdb_stream_insert_error")
	bind(&lib.insertDestroy, "chdb_destroy_insert_stream")
	bind(&lib.buffer, "chdb_result_buffer")
	bind(&lib.length, "chdb_result_length")
	bind(&lib.rows, "chdb_result_rows_read")
	bind(&lib.storageRows, "chdb_result_storage_rows_read")
	bind(&lib.storageBytes, "chdb_result_storage_bytes_read")
	bind(&lib.writtenRows, "chdb_result_rows_written")
	bind(&lib.writtenBytes, "chdb_result_bytes_written")
	bind(&lib.resultError, "chdb_result_error")
	bind(&lib.classify, "chdb_classify_query_n")
	if len(missing) > 0 {
		return nil, missing[0]
	}
	lib.signals(0)
	loaded.path, loaded.lib = path, lib
	return lib, nil
}

// Version of libchdb that this binding was written against and is tested with.
const Version = "26.7.3-stable.1"

// EngineVersion is what the loaded library calls itself.
func (l *Library) EngineVersion() string { return l.version() }
