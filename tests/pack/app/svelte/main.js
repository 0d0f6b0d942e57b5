import { mount, unmount } from "svelte";
import List from "./List.svelte";

let app = null;
window.show = async (yes) => {
  if (app) await unmount(app);
  app = yes ? mount(List, { target: document.getElementById("app") }) : null;
};
window.show(true);
