// what the SARIF viewer of Azure DevOps shows of window.LOG
import React from "react";
import ReactDOM from "react-dom";
import { Viewer } from "@microsoft/sarif-web-component";

const filterState = { Baseline: { value: [] }, Suppression: { value: [] }, Level: { value: [] } };
ReactDOM.render(
  React.createElement(Viewer, { logs: [window.LOG], hideBaseline: true, filterState }),
  document.getElementById("app"),
);
