"""Probes: is it ready?"""
