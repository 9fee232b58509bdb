"""The papers' tables and figures as recipes: what is missing is trained, all is evaluated, the table is written."""
