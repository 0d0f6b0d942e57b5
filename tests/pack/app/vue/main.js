import { createApp, version } from "vue";
import List from "./List.vue";

let app = null;
window.show = (yes) => {
  app?.unmount();
  app = yes ? createApp(List) : null;
  app?.mount("#app");
};
window.version = version;
window.show(true);
