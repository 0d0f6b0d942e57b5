package engine

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// firefoxPrefs: no first-run pages, no requests of the browser's own, popups allowed, tabs in the background as those in front.
var firefoxPrefs = map[string]any{
	"app.normandy.enabled": false, "app.update.auto": false, "app.update.disabledForTesting": true,
	"browser.aboutwelcome.enabled": false, "browser.contentblocking.introCount": 99, "browser.newtabpage.enabled": false,
	"browser.region.network.url": "", "browser.safebrowsing.blockedURIs.enabled": false, "browser.safebrowsing.downloads.enabled": false,
	"browser.safebrowsing.malware.enabled": false, "browser.safebrowsing.phishing.enabled": false, "browser.search.update": false,
	"browser.sessionstore.resume_from_crash": false, "browser.shell.checkDefaultBrowser": false, "browser.startup.homepage": "about:blank",
	"browser.startup.homepage_override.mstone": "ignore", "browser.startup.page": 0, "browser.tabs.warnOnClose": false,
	"browser.topsites.contile.enabled": false, "browser.urlbar.suggest.quicksuggest.sponsored": false, "browser.warnOnQuit": false,
	"datareporting.healthreport.uploadEnabled": false, "datareporting.policy.dataSubmissionEnabled": false,
	"datareporting.usage.uploadEnabled": false, "termsofuse.acceptedVersion": 999, "browser.termsofuse.prefs.enabled": false,
	"termsofuse.bypassNotification": true, "dom.disable_open_during_load": false, "dom.popup_maximum": 10000,
	"dom.allow_scripts_to_close_windows": true, "dom.disable_beforeunload": true, "dom.min_background_timeout_value": 4,
	"dom.timeout.enable_budget_timer_throttling": false, "dom.ipc.processPriorityManager.enabled": false, "dom.push.connection.enabled": false,
	"extensions.getAddons.cache.enabled": false, "extensions.systemAddon.update.enabled": false, "extensions.update.enabled": false,
	"media.gmp-manager.updateEnabled": false, "network.captive-portal-service.enabled": false, "network.connectivity-service.enabled": false,
	"network.dns.disablePrefetch": true, "network.http.speculative-parallel-limit": 0, "security.remote_settings.crlite_filters.enabled": false,
	"services.settings.server": "data:,#remote-settings-dummy/v1", "signon.autofillForms": false, "toolkit.cosmeticAnimations.enabled": false,
	"toolkit.startup.max_resumed_crashes": -1, "toolkit.telemetry.enabled": false, "toolkit.telemetry.server": "https://127.0.0.1/none",
	"toolkit.telemetry.unified": false, "browser.privatebrowsing.autostart": false,
}

func firefox(program, profile, url string) (args, env []string, err error) {
	var prefs strings.Builder
	for _, k := range slices.Sorted(maps.Keys(firefoxPrefs)) {
		v := firefoxPrefs[k]
		if s, ok := v.(string); ok {
			v = fmt.Sprintf("%q", s)
		}
		fmt.Fprintf(&prefs, "user_pref(%q, %v);\n", k, v)
	}
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(prefs.String()), 0o644); err != nil {
		return nil, nil, err
	}
	return []string{program, "--headless", "--no-remote", "--profile", profile, url}, []string{"MOZ_CRASHREPORTER_DISABLE=1", "HOME=" + profile}, nil
}
