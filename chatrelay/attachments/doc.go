// Package attachments keeps the files of messages: it looks at what was uploaded, writes pictures anew without
// what does not belong to the picture, reads QR codes, stores the bytes in a bucket, and signs the links by
// which they are read.
//
// It must not know who may read or write what: its caller does.
package attachments
