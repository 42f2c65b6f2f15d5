package e2e

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// looks are the pictures of an example: the names of their files end so.
var looks = []struct {
	name          string
	scheme        string
	width, height int64
	scale         float64
	phone         bool
}{
	{"light", "light", 1180, 760, 1, false},
	{"dark", "dark", 1180, 760, 1, false},
	{"phone", "dark", 390, 780, 2, true},
}

// still waits until everything is where it belongs, and nobody is about to type.
const still = `(async () => {
	document.activeElement.blur()
	await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))
	await Promise.all(document.getAnimations().filter(a => a.effect.getComputedTiming().endTime !== Infinity).map(a => a.finished))
	return true
})()`

// pictures takes the pictures of what a tab shows. E2E_PICTURES names the folder for them, docs/images seen
// from here for those of the README; without it nothing stays.
func (b *tab) pictures(example string) {
	b.t.Helper()
	dir := os.Getenv("E2E_PICTURES")
	if dir == "" {
		dir = b.t.TempDir()
	}
	for _, look := range looks {
		options := []chromedp.EmulateViewportOption{chromedp.EmulateScale(look.scale)}
		if look.phone {
			options = append(options, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait)
		}
		b.do(chromedp.EmulateViewport(look.width, look.height, options...), scheme(look.scheme))
		b.await(`matchMedia('(prefers-color-scheme: ` + look.scheme + `)').matches`)
		eval[bool](b, still)
		text := b.picture()
		picture, err := png.Decode(bytes.NewReader(text))
		if err != nil {
			b.t.Fatalf("%s-%s: %v", example, look.name, err)
		}
		if got, want := picture.Bounds().Dx(), int(float64(look.width)*look.scale); got != want {
			b.t.Errorf("%s-%s: got a width of %d, want %d", example, look.name, got, want)
		}
		b.judge(example+"-"+look.name, picture, look.scheme == "dark")
		if err := os.WriteFile(filepath.Join(dir, example+"-"+look.name+".png"), text, 0o644); err != nil {
			b.t.Fatal(err)
		}
		if wide := eval[bool](b, `document.documentElement.scrollWidth > innerWidth`); wide {
			b.t.Errorf("%s-%s: the page is wider than the screen", example, look.name)
		}
	}
}

func (b *tab) picture() []byte {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatalf("tab %s: picture: %v", b.name, err)
	}
	return text
}

// scheme makes the page believe that its user prefers light or dark.
func scheme(name string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
		})
		return err
	})
}

// judge fails for a picture that is blank, or light where it should be dark.
func (b *tab) judge(name string, picture image.Image, dark bool) {
	b.t.Helper()
	shades := map[color.Gray]int{}
	total, sum := 0, 0
	for y := picture.Bounds().Min.Y; y < picture.Bounds().Max.Y; y += 2 {
		for x := picture.Bounds().Min.X; x < picture.Bounds().Max.X; x += 2 {
			shade, _ := color.GrayModel.Convert(picture.At(x, y)).(color.Gray)
			shades[shade]++
			total++
			sum += int(shade.Y)
		}
	}
	if len(shades) < 40 {
		b.t.Errorf("%s: only %d shades: the page is blank", name, len(shades))
	}
	if mean := sum / total; (mean < 128) != dark {
		b.t.Errorf("%s: the mean shade is %d of 255, want dark %t", name, mean, dark)
	}
}

func TestPicturesOfTheChat(t *testing.T) {
	n := start(t, "--config", chatRules)
	page := startChat(t, n.HTTP)
	shared := browser(t)
	ada, bob, mia := shared.open(t, "ada", page+"#release"), shared.open(t, "bob", page), shared.open(t, "mia", page)
	ada.chatAs("Ada Byron")
	bob.chatAs("Bob")
	mia.chatAs("Mia Chen")
	c := dial(t, n.RESP, 3)
	ada.do(chromedp.Click(chromedp.CSS("#rooms li:first-child a")))
	ada.await(present("Ada Byron", "Bob", "Mia Chen"))
	say := func(b *tab, name, text string) {
		t.Helper()
		b.say(text)
		ada.await(said(name, text))
	}
	say(bob, "Bob", "Morning! Is the release out?")
	say(ada, "Ada Byron", "Since eight. I restarted my laptop in the middle of it and did not miss a line of this room.")
	publish(t, c, "chat:lobby", "deploy of v1.4.0 finished in 42 s")
	ada.await(said("redis-cli", "deploy of v1.4.0 finished in 42 s"))
	say(mia, "Mia Chen", "And that was the pipeline, with a plain PUBLISH")
	say(bob, "Bob", "Lift, no network, back again: nothing missing here either.")
	publish(t, c, "chat:release", "v1.4.0 is on all nodes")
	publish(t, c, "chat:release", "error rate unchanged")
	ada.await(`document.title.startsWith('(2) ')`)
	mia.do(chromedp.SendKeys(chromedp.CSS("#text"), "Great,"))
	ada.await(`document.getElementById('typing').textContent == 'Mia Chen is typing…'`)
	ada.pictures("chat")
}

func TestPicturesOfNotify(t *testing.T) {
	n := start(t, "--config", notifyRules)
	page := startNotify(t, n, "5s")
	shared := browser(t)
	ada, eve := shared.open(t, "ada", page+"#ada"), shared.open(t, "eve", page+"#eve")
	ada.await(isHere("ada", true) + " && " + isHere("eve", true))
	const byMail = "Bob is away: a mail goes out unless Bob is back within 5s."
	eve.notify("bob", "Your invoice for November", byMail)
	eve.notify("ada", "Your parcel is at the front desk", "Ada has it in the browser.")
	eve.notify("ada", "Eve has commented on your draft", "Ada has it in the browser.")
	ada.await(listed("inbox", "Eve has commented on your draft", "Your parcel is at the front desk"))
	ada.notify("bob", "Lunch at one?", byMail)
	ada.await(listed("outbox", "Lunch at one?", "Your invoice for November"))
	ada.pictures("notify")
}
