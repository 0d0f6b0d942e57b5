// As people write it, so that it is edited while it runs.
import { useState } from "react";
import { List } from "./list.js";

export function App({ open, options }) {
  const [shown, show] = useState(2);
  window.show = show;
  return (
    <main>
      <h2>two lists</h2>
      {Array.from({ length: shown }, (_, i) => <div key={i} id={`list${i}`}><List open={open} options={options} /></div>)}
    </main>
  );
}
