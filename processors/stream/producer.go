package stream

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"sync"
	"time"
	"unsafe"

	"github.com/lovoo/goka"
	"github.com/twmb/franz-go/pkg/kgo"
)

var codecs = map[string]kgo.CompressionCodec{
	"none": kgo.NoCompression(), "lz4": kgo.Lz4Compression(), "snappy": kgo.SnappyCompression(), "zstd": kgo.ZstdCompression(),
}

const (
	// batchBytes is the largest batch that is sent; brokers take 1 MiB.
	batchBytes = 1<<20 - 8<<10
	// chunkBytes bounds a chunk so that each of its partitions gets one batch: the whole chunk would fit.
	chunkBytes   = 800 << 10
	chunkRecords = 8192
	// queueBytes and queueRecords bound what waits; past them Emit blocks.
	queueBytes   = 16 << 20
	queueRecords = 16384
	// recordOverhead is more than what framing adds to key and value.
	recordOverhead = 96
)

var errProducerStopped = errors.New("the producer has stopped after an earlier error")

// producer is a goka.Producer that keeps order through every broker error. It sends chunk after chunk,
// each only when the one before it has been acknowledged, nearly always with one batch a partition (the
// client may begin to send while the chunk is still being handed over; it sends a partition's batches one
// after the other, and fails them together). Within a chunk a refused batch is sent again until
// ProduceTimeout; that can repeat records but never skips or swaps them. Then it fails for good, and so
// does everything queued behind.
type producer struct {
	cl      *kgo.Client
	ctx     context.Context // of every write
	cancel  context.CancelFunc
	timeout time.Duration
	metrics *metrics

	mu      sync.Mutex
	changed sync.Cond
	queue   []emission
	bytes   int
	err     error // why it has stopped
	closing bool

	finished chan []emission
	free     chan []emission // chunks to be used again
	done     sync.WaitGroup
}

type emission struct {
	record kgo.Record // first: see emissionOf
	size   int
	err    error
	finish goka.PromiseFinisher
}

// emissionOf is the emission that a record is the first field of: a closure for each record would cost more than it.
func emissionOf(r *kgo.Record) *emission { return (*emission)(unsafe.Pointer(r)) }

// newProducer is a goka.ProducerBuilder for the given client options.
func newProducer(opts []kgo.Opt, cfg Config, m *metrics) goka.ProducerBuilder {
	return func(_ []string, _ string, hasher func() hash.Hash32) (goka.Producer, error) {
		cl, err := kgo.NewClient(append(opts,
			kgo.DisableIdempotentWrite(),
			kgo.ManualFlushing(),
			kgo.MaxProduceRequestsInflightPerBroker(1),
			kgo.MaxBufferedRecords(chunkRecords+1),
			kgo.ProducerBatchMaxBytes(batchBytes),
			kgo.ProducerBatchCompression(codecs[cfg.Compression]),
			kgo.RecordDeliveryTimeout(cfg.ProduceTimeout),
			kgo.MetadataMinAge(100*time.Millisecond),
			kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond }),
			kgo.RecordPartitioner(kgo.BasicConsistentPartitioner(func(string) func(*kgo.Record, int) int {
				h := hasher()
				return func(r *kgo.Record, n int) int {
					h.Reset()
					_, _ = h.Write(r.Key)
					return int(h.Sum32()) % n
				}
			})))...)
		if err != nil {
			return nil, fmt.Errorf("producer: %w", err)
		}
		p := &producer{cl: cl, timeout: cfg.ProduceTimeout, metrics: m, finished: make(chan []emission, 4), free: make(chan []emission, 6)}
		p.changed.L = &p.mu
		p.ctx, p.cancel = context.WithCancel(context.Background())
		p.done.Add(2)
		go p.send()
		go p.finish()
		return p, nil
	}
}

func (p *producer) Emit(topic, key string, value []byte) *goka.Promise {
	return p.EmitWithHeaders(topic, key, value, nil)
}

// EmitWithHeaders queues a record. It blocks while the queue is full.
func (p *producer) EmitWithHeaders(topic, key string, value []byte, headers goka.Headers) *goka.Promise {
	promise, finish := goka.NewPromiseWithFinisher()
	e := emission{
		// Nobody writes to a record's key.
		record: kgo.Record{Topic: topic, Key: unsafe.Slice(unsafe.StringData(key), len(key)), Value: value},
		size:   len(key) + len(value) + recordOverhead, finish: finish,
	}
	for k, v := range headers {
		e.record.Headers = append(e.record.Headers, kgo.RecordHeader{Key: k, Value: v})
	}
	p.mu.Lock()
	for p.err == nil && !p.closing && (len(p.queue) >= queueRecords || p.bytes >= queueBytes) {
		p.changed.Wait()
	}
	err := p.err
	if err == nil && p.closing {
		err = errProducerStopped
	}
	if err == nil {
		p.queue = append(p.queue, e)
		p.bytes += e.size
		if len(p.queue) == 1 { // take waits only for an empty queue to fill
			p.changed.Broadcast()
		}
	}
	p.mu.Unlock()
	if err != nil {
		finish(nil, err)
	}
	return promise
}

// take waits for records and returns the next chunk; nil once closed and drained, or stopped.
func (p *producer) take() []emission {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queue) == 0 && !p.closing {
		p.changed.Wait()
	}
	n, size := 0, 0
	for n < len(p.queue) && n < chunkRecords && (n == 0 || size+p.queue[n].size <= chunkBytes) {
		size += p.queue[n].size
		n++
	}
	var chunk []emission
	select {
	case chunk = <-p.free:
	default:
	}
	if n == len(p.queue) {
		chunk, p.queue = p.queue, chunk[:0]
	} else {
		chunk = append(chunk[:0], p.queue[:n]...)
		rest := copy(p.queue, p.queue[n:])
		clear(p.queue[rest:])
		p.queue = p.queue[:rest]
	}
	p.bytes -= size
	p.changed.Broadcast()
	return chunk
}

// send is the only goroutine that writes.
func (p *producer) send() {
	defer p.done.Done()
	defer close(p.finished)
	for {
		chunk := p.take()
		if len(chunk) == 0 {
			return
		}
		err := p.write(chunk)
		p.finished <- chunk
		if err != nil {
			p.fail(err)
			return
		}
	}
}

// write sends a chunk and waits until every record of it is acknowledged or has failed.
func (p *producer) write(chunk []emission) error {
	began := time.Now()
	ctx, cancel := context.WithTimeout(p.ctx, p.timeout+5*time.Second)
	defer cancel()
	var answered sync.WaitGroup
	answered.Add(len(chunk))
	promise := func(r *kgo.Record, err error) {
		if emissionOf(r).err = err; err != nil {
			cancel() // nothing more of the chunk goes out
		}
		answered.Done()
	}
	for i := range chunk {
		e := &chunk[i]
		p.cl.Produce(ctx, &e.record, promise)
	}
	// The flush must go on when the context has ended: only then does the client get to the records that
	// wait to be sent again, and sees that they must fail.
	flushErr := p.cl.Flush(context.WithoutCancel(ctx))
	answered.Wait()
	p.metrics.wrote(len(chunk), time.Since(began))
	var failed *emission
	for i := range chunk {
		e := &chunk[i]
		if e.err != nil && (failed == nil || errors.Is(failed.err, context.Canceled)) {
			failed = e // the cause rather than what it called off
		}
	}
	if failed != nil {
		return fmt.Errorf("write to %s/%d: %w", failed.record.Topic, failed.record.Partition, failed.err)
	}
	return flushErr
}

// finish tells the callers, in order, while the next chunk is on its way.
func (p *producer) finish() {
	defer p.done.Done()
	for chunk := range p.finished {
		for i := range chunk {
			// Without a message: goka would note its offset in the table, which is of use to who reads the table on.
			chunk[i].finish(nil, chunk[i].err)
		}
		clear(chunk)
		select {
		case p.free <- chunk:
		default:
		}
	}
}

// fail stops the producer: nothing that was queued is sent.
func (p *producer) fail(err error) {
	p.mu.Lock()
	rest := p.queue
	p.queue, p.bytes = nil, 0
	p.err = fmt.Errorf("%w: %w", errProducerStopped, err)
	p.changed.Broadcast()
	p.mu.Unlock()
	for i := range rest {
		rest[i].finish(nil, p.err)
	}
}

// Close sends what is queued and waits for it, unless abort cuts it short. Why the producer had stopped
// before, its callers were told.
func (p *producer) Close() error {
	p.mu.Lock()
	p.closing = true
	p.changed.Broadcast()
	p.mu.Unlock()
	p.done.Wait()
	p.cancel()
	p.cl.Close()
	return nil
}

// abort makes everything that is not yet acknowledged fail at once.
func (p *producer) abort() { p.cancel() }
