package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// chromiumNames is what distributions call the browser.
var chromiumNames = []string{"chromium", "chromium-browser", "google-chrome"}

// chromium is a running browser.
type chromium struct{ ctx context.Context }

// browser starts a headless Chromium for this test; tabs are opened in it. Where none is installed the
// test is skipped, but not in CI (environment variable CI), where that would hide what is untested.
func browser(t *testing.T) chromium {
	t.Helper()
	path := ""
	for _, name := range chromiumNames {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		const missing = "no browser: install the package chromium"
		if os.Getenv("CI") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	// Not t.TempDir, which fails the test if a process of the browser still writes there when it is removed.
	profile, err := os.MkdirTemp(buildDir, "chromium-")
	if err != nil {
		t.Fatal(err)
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path),
		chromedp.UserDataDir(profile),
		chromedp.WSURLReadTimeout(patience),
		chromedp.Headless,
		chromedp.NoSandbox, // the tests may run as root, in a container
		chromedp.DisableGPU,
		chromedp.NoFirstRun,
		// Nothing but loopback: the browser's own services must not even try.
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		// A page with a name of its own on this machine: a foreign origin.
		chromedp.Flag("host-resolver-rules", "MAP evil.example 127.0.0.1"),
	)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for the process, so that its folder can be removed
		end()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return chromium{ctx}
}

// tab is one page in a browser context of its own: it shares no cookies and no storage with other tabs.
type tab struct {
	t    *testing.T
	ctx  context.Context
	name string
}

// open shows url in a new tab. A tab of a failed test leaves a screenshot.
func (c chromium) open(t *testing.T, name, url string) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(end)
	b := &tab{t: t, ctx: ctx, name: name}
	// The first call makes the tab, which lives as long as the context of that call: without a deadline.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open tab %s: %v", name, err)
	}
	t.Cleanup(b.shoot)
	b.do(chromedp.EmulateViewport(1180, 760), chromedp.Navigate(url))
	return b
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("tab %s: %v", b.name, err)
	}
}

// eval runs JavaScript in the page, waits for its promise if it is one, and returns its value.
func eval[T any](b *tab, script string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("tab %s: %s: %v", b.name, script, err)
	}
	return got
}

// await polls until the JavaScript condition holds.
func (b *tab) await(condition string) {
	b.t.Helper()
	eventually(b.t, "tab "+b.name+": "+condition, func() bool { return eval[bool](b, condition) })
}

// shoot keeps a picture of the page when the test has failed, or when E2E_SHOTS names a folder.
func (b *tab) shoot() {
	dir := os.Getenv("E2E_SHOTS")
	if dir == "" && !b.t.Failed() {
		return
	}
	if dir == "" {
		dir = os.TempDir()
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Logf("tab %s: no picture: %v", b.name, err)
		return
	}
	path := filepath.Join(dir, strings.ReplaceAll(b.t.Name(), "/", "-")+"-"+b.name+".png")
	if err := os.WriteFile(path, picture, 0o600); err != nil {
		b.t.Logf("tab %s: no picture: %v", b.name, err)
		return
	}
	b.t.Logf("tab %s: picture in %s", b.name, path)
}
