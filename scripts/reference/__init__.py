"""The reference pages, written from the tables that the program itself reads."""
