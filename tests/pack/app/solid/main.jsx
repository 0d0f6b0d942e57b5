import { render } from "solid-js/web";
import { List } from "./list.jsx";

let end = null;
window.show = (yes) => {
  end?.();
  end = yes ? render(() => <List />, document.getElementById("app")) : null;
};
window.show(true);
