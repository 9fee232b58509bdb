// The heat's scale and colours. Written by `python docs/heat_table.py` from drawing/heat.py.

export const HEAT = {
  unit: "people in each 1 % of the photo",
  ticks: [1, 3, 10, 30, 100, 300],
  colours: [[64, 130, 235], [38, 188, 190], [250, 220, 70], [240, 105, 30], [165, 0, 60]],
  opacity: [0.45, 0.85],
  fade: 0.3,
  neighbours: 6,
  spread: 1.3,
  narrowest: 90,
  widest: 26,
  even: 0.8,
};
