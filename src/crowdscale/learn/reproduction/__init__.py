"""The papers' tables and figures as recipes: what is missing is trained, all is evaluated, the table is written."""

from crowdscale.learn.reproduction.budget import BUDGETS, Budget, parse_budget
from crowdscale.learn.reproduction.recipe import Line, Recipe, Variant
from crowdscale.learn.reproduction.recipes import RECIPES, find_recipe
from crowdscale.learn.reproduction.study import Request, Study, reproduce

__all__ = [
    "BUDGETS",
    "RECIPES",
    "Budget",
    "Line",
    "Recipe",
    "Request",
    "Study",
    "Variant",
    "find_recipe",
    "parse_budget",
    "reproduce",
]
