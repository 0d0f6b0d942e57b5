package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/strandline-sync/strandline/tests/patience"
)

// free is an address that nobody listens at.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func ask(t *testing.T, client *http.Client, method, url, token string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

// The operator's address says whether the server lives and is ready, which is withdrawn before it stops, and figures; what is somebody's is in neither them
// nor the log.
func TestTheOperatorsAddress(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	const canary = "canary-5f2c"
	if err := os.WriteFile(secret, []byte(canary+"-token-long-enough"), 0o600); err != nil {
		t.Fatal(err)
	}
	admin := free(t)
	server, url := start(t, "--data", t.TempDir(), "--admin", admin, "--log", "debug", "--auth", "secret:"+secret)
	if status, body := ask(t, http.DefaultClient, "GET", "http://"+admin+"/readyz", ""); status != 200 {
		t.Errorf("%d %s", status, body)
	}
	create := `{"op":"create","object":"0b1ec700-0000-4000-8000-000000000001","type":"` + canary + `","fields":{"` + canary + `":"` + canary + `"}}`
	if _, errs, err := run(create, "append", url, canary+"/stream", "--token", secret); err != nil {
		t.Fatal(err, errs)
	}
	ask(t, http.DefaultClient, "GET", url+"/v1/data/"+canary+"?offset="+canary, canary)
	ask(t, http.DefaultClient, "GET", url+"/v1/"+canary, canary)
	_, figures := ask(t, http.DefaultClient, "GET", "http://"+admin+"/metrics", "")
	for _, want := range []string{`strandline_requests_total{method="POST",route="/v1/sync",status="200"} 1`, `status="401"`, "strandline_request_seconds_bucket", "strandline_database_bytes", "go_goroutines", "strandline_takes 1"} {
		if !strings.Contains(figures, want) {
			t.Errorf("the figures lack %s", want)
		}
	}
	if strings.Contains(figures, canary) {
		t.Error("the figures hold what is somebody's")
	}
	if status, _ := ask(t, http.DefaultClient, "GET", url+"/metrics", ""); status != 404 {
		t.Errorf("the figures are public: %d", status)
	}
	server.Process.Signal(syscall.SIGTERM)
	patience.True(t, "it not to be ready", func() bool {
		status, _ := ask(t, http.DefaultClient, "GET", "http://"+admin+"/readyz", "")
		return status == 503
	})
	if status, _ := ask(t, http.DefaultClient, "GET", url+"/v1/streams", ""); status == 0 {
		t.Error("it has stopped while somebody may still send requests")
	}
	if err := server.Wait(); err != nil {
		t.Error(err)
	}
	if log := server.Stderr.(fmt.Stringer).String(); strings.Contains(log, canary) || !strings.Contains(log, "route=/v1/sync") {
		t.Errorf("the log: %s", log)
	}
}

// A disk without room: the server is ready to be read, and says that it takes nothing.
func TestTheOperatorSeesThatNothingIsTaken(t *testing.T) {
	admin := free(t)
	start(t, "--data", t.TempDir(), "--admin", admin, "--min-free", "9000000000000000000")
	if status, body := ask(t, http.DefaultClient, "GET", "http://"+admin+"/readyz", ""); status != 200 || !strings.Contains(body, "nothing is taken") {
		t.Errorf("%d %s", status, body)
	}
	if _, figures := ask(t, http.DefaultClient, "GET", "http://"+admin+"/metrics", ""); !strings.Contains(figures, "strandline_takes 0") {
		t.Error("the figures do not tell")
	}
}

// certify writes a certificate of its own kind for localhost, and gives its serial number.
func certify(t *testing.T, cert, key string, serial int64) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: text}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TLS with HTTP/2; a new certificate is taken while the server runs, and one that does not match its key is not.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	certify(t, cert, key, 1)
	data := t.TempDir()
	_, url := start(t, "--data", data, "--cert", cert, "--key", key)
	if !strings.HasPrefix(url, "https://") {
		t.Fatal(url)
	}
	serial := func() (int64, string) {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true, DisableKeepAlives: true}}
		resp, err := client.Get(url + "/v1/streams")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.TLS.PeerCertificates[0].SerialNumber.Int64(), resp.Proto
	}
	if n, proto := serial(); n != 1 || proto != "HTTP/2.0" {
		t.Fatal(n, proto)
	}
	certify(t, cert, key, 2)
	patience.True(t, "the new certificate", func() bool { n, _ := serial(); return n == 2 })
	certify(t, cert, filepath.Join(dir, "another"), 3) // its key is another one's
	patience.True(t, "that to be noted", func() bool {
		if n, _ := serial(); n != 2 {
			t.Error(n)
		}
		acts, _ := os.ReadFile(filepath.Join(data, auditFile))
		return strings.Contains(string(acts), `"act":"certificate","error"`)
	})
	if _, errs, err := run("", "serve", "--data", t.TempDir(), "--addr", "127.0.0.1:0", "--cert", cert, "--key", key); err == nil || !strings.Contains(errs, "certificate") {
		t.Errorf("%v %s", err, errs)
	}
}

// Who may do what is said by a file; who is denied meanwhile is out, with what is open.
func TestRulesAndDenials(t *testing.T) {
	dir := t.TempDir()
	rules, deny := filepath.Join(dir, "rules"), filepath.Join(dir, "deny")
	for path, text := range map[string]string{
		rules: `{"secrets": {"backend": {"secret": "backend-backend-1"}, "browsers": {"secret": "browsers-browsers"}},
			"rules": [{"secret": "backend", "streams": ["**"], "may": ["read", "append", "delete", "list"]}, {"secret": "browsers", "streams": ["public/**"], "may": ["read"]}]}`,
		deny: "# nobody yet\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, url := start(t, "--data", dir, "--auth", "rules", "--rules", rules, "--deny", deny)
	for _, c := range []struct {
		method, path, token string
		want                int
	}{
		{"GET", "/v1/log?stream=public/a", "backend-backend-1", 200}, {"GET", "/v1/log?stream=public/a", "browsers-browsers", 200}, {"GET", "/v1/log?stream=private", "browsers-browsers", 403},
		{"DELETE", "/v1/log?stream=public/a", "browsers-browsers", 403}, {"DELETE", "/v1/log?stream=public/a", "backend-backend-1", 204}, {"GET", "/v1/log?stream=public/a", "somebody", 401}, {"GET", "/v1/log?stream=public/a", "", 401},
	} {
		if got, body := ask(t, http.DefaultClient, c.method, url+c.path, c.token); got != c.want {
			t.Errorf("%s %s of %s: %d %s", c.method, c.path, c.token, got, body)
		}
	}
	req, _ := http.NewRequest("GET", url+"/v1/events?stream=public/a", nil)
	req.Header.Set("Authorization", "Bearer browsers-browsers")
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	if _, err := lines.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(deny, []byte("principal secret:browsers\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	patience.True(t, "the denial to hold", func() bool {
		status, _ := ask(t, http.DefaultClient, "GET", url+"/v1/log?stream=public/a", "browsers-browsers")
		return status == 403
	})
	run(op(1), "append", url, "public/a", "--token", writeFile(t, "backend-backend-1"))
	if rest, err := io.ReadAll(lines); err != nil || strings.Contains(string(rest), `"head":1`) {
		t.Errorf("what is open goes on: %s, %v", rest, err)
	}
	for _, args := range [][]string{{"--auth", "rules"}, {"--auth", "none", "--rules", rules}, {"--auth", "jwks:https://id.example/keys", "--rules", rules}, {"--deny", filepath.Join(dir, "nothing")}, {"--auth", "rules", "--rules", deny}, {"--cert", "x"}, {"--log", "loud"}, {"--max-memory", "5"}} {
		if _, errs, err := run("", append([]string{"serve", "--data", t.TempDir(), "--addr", "127.0.0.1:0"}, args...)...); err == nil || strings.Contains(errs, "panic") {
			t.Errorf("%v: %v %s", args, err, errs)
		}
	}
	// A proxy that passes requests on from elsewhere finds no open server.
	_, open := start(t, "--data", t.TempDir())
	req, _ = http.NewRequest("GET", open+"/v1/streams", nil)
	req.Header.Set("X-Forwarded-For", "192.0.2.1")
	if resp, err := http.DefaultClient.Do(req); err != nil || resp.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("%v %v", resp, err)
	}
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
