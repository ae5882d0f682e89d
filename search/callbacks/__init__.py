"""Callbacks for the trainers of frameworks: a script with one reports, saves, resumes and ends."""
