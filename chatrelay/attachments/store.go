package attachments

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file://
	_ "gocloud.dev/blob/memblob"  // mem://
	_ "gocloud.dev/blob/s3blob"   // s3://
	"gocloud.dev/gcerrors"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// minSecret is the shortest secret, bytes.
const minSecret = 32

// Store keeps files. Safe for concurrent use.
type Store struct {
	cfg    Config
	bucket *blob.Bucket
	secret []byte
	slots  chan struct{}
}

// Open opens the bucket. A directory is made when it is missing.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("attachments.%w", err)
	}
	s := &Store{cfg: cfg, slots: make(chan struct{}, cfg.Parallel)}
	if cfg.SecretFile == "" {
		s.secret = make([]byte, minSecret)
		if _, err := rand.Read(s.secret); err != nil {
			return nil, fmt.Errorf("attachments: make a secret: %w", err)
		}
	} else {
		data, err := os.ReadFile(cfg.SecretFile)
		if err != nil {
			return nil, fmt.Errorf("attachments: read secret_file: %w", err)
		}
		if s.secret = bytes.TrimSpace(data); len(s.secret) < minSecret {
			return nil, fmt.Errorf("attachments: secret_file %s has %d bytes, at least %d", cfg.SecretFile, len(s.secret), minSecret)
		}
	}
	address, err := bucketURL(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("attachments: %w", err)
	}
	if s.bucket, err = blob.OpenBucket(ctx, address); err != nil {
		return nil, fmt.Errorf("attachments: open bucket: %w", err)
	}
	return s, nil
}

// bucketURL asks for the directory to be made, and for temporary files beside the files.
func bucketURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", fmt.Errorf("url: %w", err)
	}
	if u.Scheme == "file" {
		q := u.Query()
		q.Set("create_dir", "true")
		q.Set("no_tmp_dir", "true")
		u.RawQuery = q.Encode()
	}
	return u.String(), nil
}

// Close closes the bucket.
func (s *Store) Close() error { return s.bucket.Close() }

// RefusedError says why a file is not taken. It is safe to show.
type RefusedError struct {
	// Large: it has too many bytes.
	Large bool
	Text  string
}

func (e *RefusedError) Error() string { return e.Text }

func refusedf(format string, args ...any) error {
	return &RefusedError{Text: fmt.Sprintf(format, args...)}
}

// Put looks at a file, stores it, and says what it is. The error is a *RefusedError where the file is to blame.
func (s *Store) Put(ctx context.Context, shop, conversation, fileName string, from io.Reader) (*chatv1.Attachment, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	data, err := io.ReadAll(io.LimitReader(from, s.cfg.MaxBytes+1))
	if err != nil {
		return nil, refusedf("the file was not sent whole")
	}
	if int64(len(data)) > s.cfg.MaxBytes {
		return nil, &RefusedError{Large: true, Text: fmt.Sprintf("a file has at most %d bytes", s.cfg.MaxBytes)}
	}
	f, err := inspect(data, s.cfg.MaxPixels)
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("make an id: %w", err)
	}
	sum := sha256.Sum256(f.data)
	a := &chatv1.Attachment{Id: id.String(), MimeType: f.mime, Size: int64(len(f.data)), Sha256: hex.EncodeToString(sum[:]),
		QrPayloads: f.qr, FileName: cleanName(fileName)}
	err = s.bucket.WriteAll(ctx, nameOf(shop, conversation, a.Id), f.data, &blob.WriterOptions{ContentType: f.mime, DisableContentTypeDetection: true})
	if err != nil {
		return nil, fmt.Errorf("store file: %w", err)
	}
	return a, nil
}

// File is an open file.
type File struct {
	io.ReadCloser
	MimeType string
	Size     int64
	ModTime  time.Time
}

// Get opens a file by its name. The caller has checked the link and closes the file.
func (s *Store) Get(ctx context.Context, name string) (*File, error) {
	r, err := s.bucket.NewReader(ctx, name, nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("open file: %w", err)
	}
	return &File{ReadCloser: r, MimeType: r.ContentType(), Size: r.Size(), ModTime: r.ModTime()}, nil
}

// Has tells whether a conversation has a file.
func (s *Store) Has(ctx context.Context, shop, conversation, id string) (bool, error) {
	return s.bucket.Exists(ctx, nameOf(shop, conversation, id))
}

// cleanName makes a file's name harmless: no path, no control characters, bounded.
func cleanName(name string) string {
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || c == utf8.RuneError || unicode.Is(unicode.Cf, c) {
			return -1
		}
		return c
	}, name)
	const most = 120
	if utf8.RuneCountInString(name) > most {
		name = string([]rune(name)[:most])
	}
	return name
}

// errShort is what decoders get that read beyond their bound.
var errShort = errors.New("the picture is not whole")
