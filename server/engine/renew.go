package engine

import (
	"bytes"
	"crypto/sha256"
	"io"

	"github.com/klauspost/compress/gzip"

	"github.com/strandline-sync/strandline/core/action"
)

// Renew has a checkpoint say another epoch, which stands in its first line.
func (c *Checkpoint) Renew(epoch action.UUID) error {
	text, err := c.Text()
	if err != nil {
		return err
	}
	head, rest, _ := bytes.Cut(text, []byte("\n"))
	head = bytes.Replace(head, []byte(`"epoch":"`+c.Epoch.String()+`"`), []byte(`"epoch":"`+epoch.String()+`"`), 1)
	text = append(append(bytes.Clone(head), '\n'), rest...)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(text) // a bytes.Buffer takes all
	w.Close()
	c.Epoch, c.Bytes, c.SHA256, c.Packed = epoch, len(text), sha256.Sum256(text), packed.Bytes()
	return nil
}

// Text is its encoding.
func (c *Checkpoint) Text() ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(c.Packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
